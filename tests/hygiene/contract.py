"""Has schemathesis ask the running product everything that /openapi.json allows and much that it does not.

    python -m tests.hygiene.contract [--examples 700] [--seed 1]

Prints the requests and answers by operation. It ends with status 1 when an answer is not in the contract.
"""

import argparse
import asyncio
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.conftest import ROOT
from tests.hygiene.known import known_things
from tests.hygiene.running import running_product

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "every_event_conforms",
)
"""Not negative_data_rejection: names in any case, unknown members and numbers as text are taken on purpose; nor
use_after_free: a clip that is cancelled can be asked about."""

HOOKS = {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.hygiene.contract_hooks"}

PHASES = ("coverage", "fuzzing", "stateful")
"""Every corner of each parameter; whatever chance makes of them all; one operation after another."""

ELSEWHERE = "methods that a path does not have"

LATE_SECONDS = 120.0
"""For an answer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    answers: Mapping[str, Counter[int | None]]
    """By operation: how often each status; None for no answer."""
    told: str
    """What schemathesis says."""
    sound: bool
    """Whether it has no complaint."""

    @property
    def requests(self) -> int:
        return sum(counted.total() for counted in self.answers.values())

    @property
    def statuses(self) -> set[int | None]:
        return {status for counted in self.answers.values() for status in counted}

    @property
    def server_errors(self) -> int:
        return sum(number for counted in self.answers.values() for status, number in counted.items() if status == 500)

    def table(self) -> str:
        rows = [f"{'requests':>8}  {'operation':60} answers"]
        for operation, counted in sorted(self.answers.items()):
            statuses = ", ".join(f"{status}: {number}" for status, number in sorted(counted.items(), key=str))
            rows.append(f"{counted.total():>8}  {operation:60} {statuses}")
        return "\n".join([*rows, f"{self.requests:>8}  in all, {self.server_errors} of them with status 500"])


async def asked(examples: int, seed: int, phases: Sequence[str] = PHASES) -> Outcome:
    """Up to *examples* requests an operation in each of the *phases* but coverage, which has as many as it needs."""
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.ndjson")
        async with running_product() as base, known_things(f"{base}/") as known:
            process = await asyncio.create_subprocess_exec(
                *(str(Path(sys.executable).with_name("st")), "run", f"{base}/openapi.json"),
                *_options(examples, seed, phases, report),
                cwd=folder,
                env=os.environ | HOOKS | {"CONTRACT_KNOWN": known.to_json()},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            told, _ = await process.communicate()
        return Outcome(_answers(report), told.decode(), process.returncode == 0)


def _options(examples: int, seed: int, phases: Sequence[str], report: Path) -> Iterator[str]:
    options = {
        "checks": ",".join(CHECKS),
        "max-examples": examples,
        "phases": ",".join(phases),
        "report": "ndjson",
        "report-ndjson-path": report,
        "request-timeout": LATE_SECONDS,
        "seed": seed,
        "warnings": "off",
    }
    yield from ("--continue-on-failure", "--no-color")
    yield from (f"--{name}={value}" for name, value in options.items())


def _answers(report: Path) -> Mapping[str, Counter[int | None]]:
    counted: defaultdict[str, Counter[int | None]] = defaultdict(Counter)
    with report.open() as lines:
        for line in lines:
            for recorder in _recorders(json.loads(line)):
                for number, interaction in recorder.get("interactions", {}).items():
                    case = recorder["cases"][number]["value"]
                    status = (interaction.get("response") or {}).get("status_code")
                    counted[f"{case['method']} {case['path']}" if status != 405 else ELSEWHERE][status] += 1
    return counted


def _recorders(event: dict[str, Any]) -> list[dict[str, Any]]:
    return [told["recorder"] for kind, told in event.items() if kind == "ScenarioFinished"]


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.hygiene.contract", description=__doc__)
    arguments.add_argument("--examples", type=int, default=700)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    outcome = asyncio.run(asked(options.examples, options.seed))
    sys.stdout.write(f"{outcome.told}\n{outcome.table()}\n")
    sys.exit(not outcome.sound)


if __name__ == "__main__":
    main()
