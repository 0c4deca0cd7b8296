"""Stands where ``az`` is looked for: writes down how it was called, and answers as Azure would.

Its state is a folder, named by AZ_STATE: ``calls``, one a line as JSON; ``answers.json``, what to print, by how a call
begins; ``failing``, how a call begins that fails.
"""

import json
import os
import sys
from pathlib import Path


def main() -> int:
    state, call = Path(os.environ["AZ_STATE"]), sys.argv[1:]
    with (state / "calls").open("a") as calls:
        print(json.dumps(call), file=calls)
    said = " ".join(call)
    if (failing := (state / "failing").read_text()) and said.startswith(failing):
        print(f"ERROR: {failing}", file=sys.stderr)  # noqa: T201 - as az does
        return 1
    answers: dict[str, str] = json.loads((state / "answers.json").read_text())
    fitting = [begins for begins in answers if said.startswith(begins)]
    if fitting:
        print(answers[max(fitting, key=len)])  # noqa: T201 - as az does
    return 0


if __name__ == "__main__":
    sys.exit(main())
