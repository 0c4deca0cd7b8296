"""Puts mutations through the doors, one after the other, and says what became of each in a line of JSON.

    python -m tests.hygiene.fuzz_worker SEED FIRST STEP END

A crash of native code ends the process: the mutation after the last that it told of is the one that did it.
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
class Told:
    """What became of one mutation."""

    number: int
    source: str
    outcome: str
    seconds: float
    cpu_seconds: float
    calls: int
    """Of Python functions, resumed generators and coroutines included: work that is the same on every machine. 0 before
    Python 3.12, which cannot count them."""
    peak_bytes: int
    """The most memory that the worker has held so far."""


def told(seed: int, numbers: range) -> Iterator[Told]:
    files, calls = recordings(), Calls()
    kinds, contents = list(files), list(files.values())
    with asyncio.Runner() as runner:
        for number in numbers:
            source, data = damaged(seed, number, contents)
            began, cpu, called = monotonic(), process_time(), calls.count
            became = runner.run(outcome(number, data))
            took, worked = monotonic() - began, process_time() - cpu
            yield Told(number, kinds[source], became, took, worked, calls.count - called, peak_bytes())


class Calls:
    """Counts calls of Python functions from now on."""

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
    for one in told(seed, range(first, end, step)):
        sys.stdout.write(json.dumps(asdict(one)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
