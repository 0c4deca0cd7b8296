"""Sends the running product, by schemathesis, what /openapi.json allows and much that it does not allow.

    python -m tests.hygiene.contract [--examples 700] [--seed 1]

Prints the requests and response statuses by operation. The exit status is 1 when a response violates the contract.
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
from tests.hygiene.known_requests import known_resources
from tests.hygiene.server_process import running_product

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "every_event_conforms",
)
"""Without negative_data_rejection: names in any case, unknown members and numbers as text are accepted on purpose.
Without use_after_free: a cancelled clip can still be fetched."""

HOOKS = {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.hygiene.contract_hooks"}

PHASES = ("coverage", "fuzzing", "stateful")
"""Boundary values of each parameter; random values of all of them; sequences of operations."""

UNSUPPORTED_METHODS = "methods that a path does not have"

RESPONSE_SECONDS = 120.0
"""Timeout of one request."""


@dataclass(frozen=True, slots=True)
class ContractReport:
    """Results of one run."""

    responses: Mapping[str, Counter[int | None]]
    """By operation: how often each status occurred; None: no response."""
    output: str
    """Output of schemathesis."""
    passed: bool
    """Whether schemathesis found no violation."""

    @property
    def requests(self) -> int:
        return sum(counted.total() for counted in self.responses.values())

    @property
    def statuses(self) -> set[int | None]:
        return {status for counted in self.responses.values() for status in counted}

    @property
    def server_errors(self) -> int:
        return sum(number for counted in self.responses.values() for status, number in counted.items() if status == 500)

    def table(self) -> str:
        rows = [f"{'requests':>8}  {'operation':60} responses"]
        for operation, counted in sorted(self.responses.items()):
            statuses = ", ".join(f"{status}: {number}" for status, number in sorted(counted.items(), key=str))
            rows.append(f"{counted.total():>8}  {operation:60} {statuses}")
        return "\n".join([*rows, f"{self.requests:>8}  in all, {self.server_errors} of them with status 500"])


async def run_schemathesis(examples: int, seed: int, phases: Sequence[str] = PHASES) -> ContractReport:
    """Test a fresh product with up to *examples* requests per operation and phase.

    The phase coverage ignores *examples* and sends as many requests as it needs.
    """
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.ndjson")
        async with running_product() as base, known_resources(f"{base}/") as known:
            process = await asyncio.create_subprocess_exec(
                *(str(Path(sys.executable).with_name("st")), "run", f"{base}/openapi.json"),
                *_options(examples, seed, phases, report),
                cwd=folder,
                env=os.environ | HOOKS | {"CONTRACT_KNOWN": known.to_json()},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await process.communicate()
        return ContractReport(_responses(report), output.decode(), process.returncode == 0)


def _options(examples: int, seed: int, phases: Sequence[str], report: Path) -> Iterator[str]:
    options = {
        "checks": ",".join(CHECKS),
        "max-examples": examples,
        "phases": ",".join(phases),
        "report": "ndjson",
        "report-ndjson-path": report,
        "request-timeout": RESPONSE_SECONDS,
        "seed": seed,
        "warnings": "off",
    }
    yield from ("--continue-on-failure", "--no-color")
    yield from (f"--{name}={value}" for name, value in options.items())


def _responses(report: Path) -> Mapping[str, Counter[int | None]]:
    counted: defaultdict[str, Counter[int | None]] = defaultdict(Counter)
    with report.open() as lines:
        for line in lines:
            for recorder in _recorders(json.loads(line)):
                for number, interaction in recorder.get("interactions", {}).items():
                    case = recorder["cases"][number]["value"]
                    status = (interaction.get("response") or {}).get("status_code")
                    counted[f"{case['method']} {case['path']}" if status != 405 else UNSUPPORTED_METHODS][status] += 1
    return counted


def _recorders(event: dict[str, Any]) -> list[dict[str, Any]]:
    return [content["recorder"] for kind, content in event.items() if kind == "ScenarioFinished"]


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.hygiene.contract", description=__doc__)
    arguments.add_argument("--examples", type=int, default=700)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    outcome = asyncio.run(run_schemathesis(options.examples, options.seed))
    sys.stdout.write(f"{outcome.output}\n{outcome.table()}\n")
    sys.exit(not outcome.passed)


if __name__ == "__main__":
    main()
