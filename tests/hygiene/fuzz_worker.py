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
    peak_bytes: int
    """The most memory that the worker has held so far."""


def told(seed: int, numbers: range) -> Iterator[Told]:
    files = recordings()
    kinds, contents = list(files), list(files.values())
    with asyncio.Runner() as runner:
        for number in numbers:
            source, data = damaged(seed, number, contents)
            began, cpu = monotonic(), process_time()
            became = runner.run(outcome(number, data))
            took, worked = monotonic() - began, process_time() - cpu
            yield Told(number, kinds[source], became, took, worked, peak_bytes())


def main() -> None:
    faulthandler.enable()
    seed, first, step, end = (int(argument) for argument in sys.argv[1:])
    for one in told(seed, range(first, end, step)):
        sys.stdout.write(json.dumps(asdict(one)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
