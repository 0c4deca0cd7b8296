"""Stands where ``az`` is looked for: writes down how it was called, and answers as Azure would.

Its state is a folder, named by AZ_STATE: ``calls``, one a line as JSON; ``answers.json``, what there is, by how a call
begins; ``failing``, how a call begins that fails. Filters and queries are applied to what there is, so that it may hold
what is not to be found.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]

TAKES_INPUT = {"delete", "purge", "set"}
"""What of a call makes this one, as a program may, read what its caller's loop reads from."""


def main() -> int:
    state, call = Path(os.environ["AZ_STATE"]), sys.argv[1:]
    with (state / "calls").open("a") as calls:
        print(json.dumps(call), file=calls)
    if TAKES_INPUT & set(call):
        sys.stdin.read()
    said = " ".join(call)
    if (failing := (state / "failing").read_text()) and said.startswith(failing):
        print(f"ERROR: {failing}", file=sys.stderr)  # noqa: T201 - as az does
        return 1
    answers: dict[str, Any] = json.loads((state / "answers.json").read_text())
    fitting = [begins for begins in answers if said.startswith(begins)]
    if fitting:
        print(_shown(call, answers[max(fitting, key=len)]))  # noqa: T201 - as az does
    return 0


def _shown(call: list[str], there: Any) -> str:
    if condition := re.fullmatch(r"(\w+) eq '(.*)'", _option(call, "--filter")):
        there = [each for each in there if each[condition[1]] == condition[2]]
    if query := _option(call, "--query"):
        there = jmespath.search(query, there)
    if _option(call, "--output") != "tsv":
        return json.dumps(there)
    return "\n".join(_row(each) for each in (there if isinstance(there, list) else [there]))


def _row(value: Any) -> str:
    cells = value if isinstance(value, list) else [value]
    return "\t".join("" if cell is None else str(cell) for cell in cells)


def _option(call: list[str], name: str) -> str:
    return call[call.index(name) + 1] if name in call else ""


if __name__ == "__main__":
    sys.exit(main())
