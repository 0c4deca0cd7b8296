"""Damages real recordings in every way that `damage` knows, puts them through the doors for sound, and counts.

    python -m tests.hygiene.fuzz [--mutations 100000] [--seed 1]

The doors are opened in processes of their own, so that a crash of native code is counted like any other; the input that
did it is kept in .local/fuzz. It ends with status 1 when there was a crash, a hang, memory without bound, or more calls
of Python than the size of an input explains. Times are shown and decide nothing: they are the machine's too.

``MALLOC_PERTURB_=165`` in the environment fills memory that is not in use, so that what reads it all the same is seen
(mallopt(3)); it also makes memory count that is asked for and never used, and so tells nothing of growth.

Why not atheris: it finds its way by the branches of code that was compiled for it. What is at risk here is FFmpeg,
which comes as a binary in PyAV's wheel and shows it none; it stops at the first crash, too, and knows of no lengths to
lie about.
"""

import argparse
import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT
from tests.hygiene.damage import damaged
from tests.hygiene.fuzz_worker import Told
from tests.hygiene.recordings import recordings

KEPT = ROOT / ".local" / "fuzz"

START_SECONDS = 600.0
"""For a worker to import the product and make the recordings, on however slow and busy a machine."""

HANG_SECONDS = 300.0
"""Without a word from a worker it hangs: decoding is given up after 10 s, and the slowest input takes less than one."""

MOST_CALLS = 300_000
"""Of Python functions for one input, resumed generators included. Of 6,000 mutations the busiest took 171,381: a WAV
that arrived in pieces of 7 bytes. When each piece was converted by itself it took 1,033,129. Work in C is not seen."""

MOST_BYTES = 400_000_000
"""That a worker may hold, half of it before the first mutation: the smallest instances have 512 MB."""

GROWTH_BYTES = 100_000_000
"""That a worker may grow by in its second half: room for one more large sound, none for what is never given back."""


@dataclass
class Report:
    """What became of all mutations."""

    told: list[Told] = field(default_factory=list)
    crashed: dict[int, str] = field(default_factory=dict)
    """How each ended the worker, by mutation."""
    hung: list[int] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    """Those that took more calls than they may."""
    growth_bytes: int = 0
    """The most that a worker grew by in its second half; its first fills the heap."""

    @property
    def harmless(self) -> bool:
        return (
            not (self.crashed or self.hung or self.busy)
            and self.growth_bytes < GROWTH_BYTES
            and self.peak_bytes < MOST_BYTES
        )

    @property
    def peak_bytes(self) -> int:
        """The most that a worker held."""
        return max((one.peak_bytes for one in self.told), default=0)


@dataclass(frozen=True, slots=True)
class Fuzzing:
    """One run: mutations 0 to *mutations* of *seed*, in *jobs* processes."""

    mutations: int
    seed: int = 1
    jobs: int = 2
    kept: Path = KEPT
    worker: str = "tests.hygiene.fuzz_worker"
    """The module that puts mutations through the doors."""
    patience_seconds: float = HANG_SECONDS
    """After which a worker that says nothing is ended."""

    async def run(self) -> Report:
        report = Report()
        await asyncio.gather(*(self._job(first, report) for first in range(self.jobs)))
        for one in report.told:
            if one.calls > MOST_CALLS:
                self._keep(one.number)
                report.busy.append(one.number)
        return report

    async def _job(self, first: int, report: Report) -> None:
        """Every mutation that is *first* modulo the number of jobs, going on behind one that ends the worker."""
        while first < self.mutations:
            peaks = []
            async for one in self._worker(range(first, self.mutations, self.jobs), report):
                report.told.append(one)
                peaks.append(one.peak_bytes)
                first = one.number + self.jobs
            if peaks:
                report.growth_bytes = max(report.growth_bytes, peaks[-1] - peaks[len(peaks) // 2])
            # Either past the end, or at the one that ended the worker.
            first += self.jobs

    async def _worker(self, numbers: range, report: Report) -> AsyncIterator[Told]:
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", self.worker),
            *(str(number) for number in (self.seed, numbers.start, numbers.step, numbers.stop)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert worker.stdout
        assert worker.stderr
        complaints = asyncio.create_task(worker.stderr.read())
        reached, patience = numbers.start, START_SECONDS
        try:
            while line := await asyncio.wait_for(worker.stdout.readline(), patience):
                one = Told(**json.loads(line))
                reached, patience = one.number + numbers.step, self.patience_seconds
                yield one
        except TimeoutError:
            self._hangs(reached, report)
        else:
            if await worker.wait():
                self._crashes(reached, f"{_ended(worker.returncode)}: {(await complaints).decode()[-2000:]}", report)
        finally:
            if worker.returncode is None:
                worker.kill()
            await worker.wait()
            await complaints

    def _crashes(self, number: int, how: str, report: Report) -> None:
        self._keep(number)
        report.crashed[number] = how

    def _hangs(self, number: int, report: Report) -> None:
        self._keep(number)
        report.hung.append(number)

    def _keep(self, number: int) -> None:
        self.kept.mkdir(parents=True, exist_ok=True)
        _, data = damaged(self.seed, number, list(recordings().values()))
        (self.kept / f"{self.seed}-{number}").write_bytes(data)


def _ended(code: int | None) -> str:
    return f"signal {-code}" if code and code < 0 else f"status {code}"


def table(report: Report) -> str:
    """What an engineer wants to see, as lines."""
    told = report.told
    outcomes = Counter(one.outcome for one in told)
    slowest, busiest = max(told, key=lambda one: one.seconds), max(told, key=lambda one: one.calls)
    rows: Sequence[tuple[str, object]] = (
        ("mutations", f"{len(told) + len(report.crashed)} of {len({one.source for one in told})} recordings"),
        *outcomes.most_common(),
        ("crashes", len(report.crashed)),
        ("hangs", len(report.hung)),
        (f"over {MOST_CALLS} calls", len(report.busy)),
        ("most calls", f"{busiest.calls} ({busiest.source})"),
        ("slowest", f"{slowest.seconds:.2f} s, {slowest.cpu_seconds:.2f} s of it a processor's ({slowest.source})"),
        ("most memory", f"{report.peak_bytes / 1e6:.0f} MB"),
        ("growth in the end", f"{report.growth_bytes / 1e6:.0f} MB"),
    )
    lines = [f"{name:24} {value}" for name, value in rows]
    return "\n".join([*lines, *(f"\nmutation {number}: {how}" for number, how in report.crashed.items())])


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.hygiene.fuzz", description=__doc__)
    arguments.add_argument("--mutations", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = arguments.parse_args()
    report = asyncio.run(Fuzzing(options.mutations, options.seed, options.jobs).run())
    sys.stdout.write(table(report) + "\n")
    sys.exit(not report.harmless)


if __name__ == "__main__":
    main()
