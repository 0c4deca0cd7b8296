"""Decodes mutations, one after the other, and prints each result as a line of JSON.

    python -m tests.hygiene.fuzz_worker SEED FIRST STEP END

A crash of native code ends the process: the mutation after the last printed one caused it.
"""

import asyncio
import faulthandler
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from time import monotonic, process_time

from benchmarks.machine import peak_bytes
from tests.hygiene.damage import damaged
from tests.hygiene.doors import outcome
from tests.hygiene.recordings import recordings


@dataclass(frozen=True, slots=True)
class MutationResult:
    """Result of one mutation."""

    number: int
    source: str
    outcome: str
    seconds: float
    cpu_seconds: float
    calls: int
    """Calls of Python functions, resumed generators and coroutines included: a measure of work that is the same on
    every machine. 0 before Python 3.12, which cannot count them."""
    peak_bytes: int
    """Highest memory use of the worker so far."""


def results(seed: int, numbers: range) -> Iterator[MutationResult]:
    files, calls = recordings(), CallCounter()
    kinds, contents = list(files), list(files.values())
    with asyncio.Runner() as runner:
        for number in numbers:
            source, data = damaged(seed, number, contents)
            began, cpu, called = monotonic(), process_time(), calls.count
            result = runner.run(outcome(number, data))
            took, worked = monotonic() - began, process_time() - cpu
            yield MutationResult(number, kinds[source], result, took, worked, calls.count - called, peak_bytes())


class CallCounter:
    """Counts calls of Python functions from its creation on."""

    def __init__(self) -> None:
        self.count = 0
        if sys.version_info >= (3, 12):
            tool, events = sys.monitoring.PROFILER_ID, sys.monitoring.events
            sys.monitoring.use_tool_id(tool, "fuzz")
            for event in (events.PY_START, events.PY_RESUME):
                sys.monitoring.register_callback(tool, event, self._count)
            sys.monitoring.set_events(tool, events.PY_START | events.PY_RESUME)

    def _count(self, *_: object) -> None:
        self.count += 1


def main() -> None:
    faulthandler.enable()
    seed, first, step, end = (int(argument) for argument in sys.argv[1:])
    for one in results(seed, range(first, end, step)):
        sys.stdout.write(json.dumps(asdict(one)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
