"""A substitute for ``az``: records its calls, and responds as Azure would.

Its state is a folder, named by AZ_STATE, with three files: ``calls``, one per line as JSON; ``responses.json``, the
responses by the beginning of a call; ``failing``, the beginning of the calls that fail. Filters and queries are applied
to the responses, so that these may contain entries which a query must not find.
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
"""Timeout of a call, long enough for a busy machine."""

TAKES_INPUT = {"delete", "purge", "set"}
"""Words of calls that read standard input, as a real program may do, which breaks a loop that reads the same input."""


def main() -> int:
    state, call = Path(os.environ["AZ_STATE"]), sys.argv[1:]
    with (state / "calls").open("a") as calls:
        print(json.dumps(call), file=calls)
    if TAKES_INPUT & set(call):
        sys.stdin.read()
    command = " ".join(call)
    if (failing := (state / "failing").read_text()) and command.startswith(failing):
        print(f"ERROR: {failing}", file=sys.stderr)  # noqa: T201 - as az does
        return 1
    responses: dict[str, Any] = json.loads((state / "responses.json").read_text())
    if command.startswith("functionapp deployment source config-zip"):
        return _check_health(responses)
    fitting = [begins for begins in responses if command.startswith(begins)]
    if fitting:
        print(_shown(call, responses[max(fitting, key=len)]))  # noqa: T201 - as az does
    return 0


def _check_health(responses: dict[str, Any]) -> int:
    """The health check of az after publishing to Flex Consumption, sent to the app from the machine that runs az.

    From 2.87.0 on az accepts that the app refuses the address of that machine (`check_flex_app_after_deployment` in
    azure/cli/command_modules/appservice/custom.py).
    """
    outputs = responses["deployment sub show"]["properties"]["outputs"]
    (app,) = (value["value"] for name, value in outputs.items() if name.upper() == "FUNCTION_APP_URL")
    try:
        with urlopen(f"{app}/admin/host/status", timeout=HANGS_SECONDS):  # noqa: S310 - a server of the test's
            return 0
    except HTTPError as refused:
        if refused.code == 403 and _numbers(responses["version"]["azure-cli"]) >= [2, 87]:
            return 0
    print("ERROR: Deployment was successful but the app appears to be unhealthy.", file=sys.stderr)  # noqa: T201 - as az does
    return 1


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _shown(call: list[str], found: Any) -> str:
    if condition := re.fullmatch(r"(\w+) eq '(.*)'", _option(call, "--filter")):
        found = [each for each in found if each[condition[1]] == condition[2]]
    if query := _option(call, "--query"):
        found = jmespath.search(query, found)
    if _option(call, "--output") != "tsv":
        return json.dumps(found)
    return "\n".join(_row(each) for each in (found if isinstance(found, list) else [found]))


def _row(value: Any) -> str:
    cells = value if isinstance(value, list) else [value]
    return "\t".join("" if cell is None else str(cell) for cell in cells)


def _option(call: list[str], name: str) -> str:
    return call[call.index(name) + 1] if name in call else ""


if __name__ == "__main__":
    sys.exit(main())
