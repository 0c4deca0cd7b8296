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
from urllib.error import HTTPError
from urllib.request import urlopen

import jmespath  # type: ignore[import-untyped]

HANGS_SECONDS = 120.0
"""Ends a call that hangs, on a machine however busy."""

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
    if said.startswith("functionapp deployment source config-zip"):
        return _check_health(answers)
    fitting = [begins for begins in answers if said.startswith(begins)]
    if fitting:
        print(_shown(call, answers[max(fitting, key=len)]))  # noqa: T201 - as az does
    return 0


def _check_health(answers: dict[str, Any]) -> int:
    """What az does after publishing to Flex Consumption: ask the app, from where az runs, whether it is well.

    From 2.87.0 on az accepts that the app refuses the address from which it asks (`check_flex_app_after_deployment` in
    azure/cli/command_modules/appservice/custom.py).
    """
    outputs = answers["deployment sub show"]["properties"]["outputs"]
    (app,) = (value["value"] for name, value in outputs.items() if name.upper() == "FUNCTION_APP_URL")
    try:
        with urlopen(f"{app}/admin/host/status", timeout=HANGS_SECONDS):  # noqa: S310 - a server of the test's
            return 0
    except HTTPError as refused:
        if refused.code == 403 and _numbers(answers["version"]["azure-cli"]) >= [2, 87]:
            return 0
    print("ERROR: Deployment was successful but the app appears to be unhealthy.", file=sys.stderr)  # noqa: T201 - as az does
    return 1


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


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
