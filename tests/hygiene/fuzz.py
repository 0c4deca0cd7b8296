"""Fuzzes the audio decoders: damages real recordings with `damage`, decodes them with `doors`, and counts the results.

    python -m tests.hygiene.fuzz [--mutations 100000] [--seed 1]

Decoding runs in separate processes, so that a crash of native code is counted like any other. Harmful inputs are stored
in .local/fuzz. The exit status is 1 after a crash, a hang, unbounded memory, or more Python calls than the size of an
input explains. Times are only shown, because they depend on the machine.

``MALLOC_PERTURB_=165`` in the environment fills unused memory, which reveals code that reads it (mallopt(3)). It also
makes allocated but unused memory count, so the growth figures are meaningless with it.

Why not atheris: it is guided by the branches of code that was compiled for it. The code at risk here is FFmpeg, which
is a binary in PyAV's wheel without such instrumentation. atheris also stops at the first crash, and does not know
which bytes are lengths.
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
from tests.hygiene.fuzz_worker import MutationResult
from tests.hygiene.recordings import recordings

FOLDER = ROOT / ".local" / "fuzz"
"""Where harmful inputs are stored."""

START_SECONDS = 600.0
"""Time in which a worker imports the product and generates the recordings, on a slow and busy machine too."""

HANG_SECONDS = 300.0
"""A worker that is silent for longer hangs: decoding stops after 10 s, and the slowest input takes less than one."""

MOST_CALLS = 300_000
"""Limit of calls of Python functions for one input, resumed generators included. Of 6,000 mutations the busiest took
171,381: a WAV that arrived in pieces of 7 bytes. When each piece was converted by itself it took 1,033,129. Work in C
is not counted."""

MOST_BYTES = 400_000_000
"""Limit of a worker's memory, half of it used before the first mutation: the smallest instances have 512 MB."""

GROWTH_BYTES = 100_000_000
"""Limit of a worker's growth in the second half of its run: room for one more large sound, none for a leak."""


@dataclass
class Report:
    """Results of all mutations."""

    results: list[MutationResult] = field(default_factory=list)
    crashed: dict[int, str] = field(default_factory=dict)
    """How each crash ended the worker, by mutation."""
    hung: list[int] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    """Mutations that took more than `MOST_CALLS`."""
    growth_bytes: int = 0
    """Largest growth of a worker in the second half of its run; the first half fills the heap."""

    @property
    def harmless(self) -> bool:
        return (
            not (self.crashed or self.hung or self.busy)
            and self.growth_bytes < GROWTH_BYTES
            and self.peak_bytes < MOST_BYTES
        )

    @property
    def peak_bytes(self) -> int:
        """Highest memory use of a worker."""
        return max((one.peak_bytes for one in self.results), default=0)


@dataclass(frozen=True, slots=True)
class FuzzRun:
    """One run: *mutations* mutations of *seed*, numbered from 0, in *jobs* processes."""

    mutations: int
    seed: int = 1
    jobs: int = 2
    folder: Path = FOLDER
    worker: str = "tests.hygiene.fuzz_worker"
    """The module that decodes mutations."""
    timeout_seconds: float = HANG_SECONDS
    """After which a silent worker is killed."""

    async def run(self) -> Report:
        report = Report()
        await asyncio.gather(*(self._job(first, report) for first in range(self.jobs)))
        for one in report.results:
            if one.calls > MOST_CALLS:
                self._store(one.number)
                report.busy.append(one.number)
        return report

    async def _job(self, first: int, report: Report) -> None:
        """Run every mutation that is *first* modulo the number of jobs; continue after one that ends the worker."""
        while first < self.mutations:
            peaks = []
            async for one in self._worker(range(first, self.mutations, self.jobs), report):
                report.results.append(one)
                peaks.append(one.peak_bytes)
                first = one.number + self.jobs
            if peaks:
                report.growth_bytes = max(report.growth_bytes, peaks[-1] - peaks[len(peaks) // 2])
            # Either past the end, or skip the mutation that ended the worker.
            first += self.jobs

    async def _worker(self, numbers: range, report: Report) -> AsyncIterator[MutationResult]:
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
        reached, timeout = numbers.start, START_SECONDS
        try:
            while line := await asyncio.wait_for(worker.stdout.readline(), timeout):
                one = MutationResult(**json.loads(line))
                reached, timeout = one.number + numbers.step, self.timeout_seconds
                yield one
        except TimeoutError:
            self._record_hang(reached, report)
        else:
            if await worker.wait():
                how = f"{_ended(worker.returncode)}: {(await complaints).decode()[-2000:]}"
                self._record_crash(reached, how, report)
        finally:
            if worker.returncode is None:
                worker.kill()
            await worker.wait()
            await complaints

    def _record_crash(self, number: int, how: str, report: Report) -> None:
        self._store(number)
        report.crashed[number] = how

    def _record_hang(self, number: int, report: Report) -> None:
        self._store(number)
        report.hung.append(number)

    def _store(self, number: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        _, data = damaged(self.seed, number, list(recordings().values()))
        (self.folder / f"{self.seed}-{number}").write_bytes(data)


def _ended(code: int | None) -> str:
    return f"signal {-code}" if code and code < 0 else f"status {code}"


def table(report: Report) -> str:
    """The report as lines of text."""
    results = report.results
    outcomes = Counter(one.outcome for one in results)
    slowest, busiest = max(results, key=lambda one: one.seconds), max(results, key=lambda one: one.calls)
    rows: Sequence[tuple[str, object]] = (
        ("mutations", f"{len(results) + len(report.crashed)} of {len({one.source for one in results})} recordings"),
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
    report = asyncio.run(FuzzRun(options.mutations, options.seed, options.jobs).run())
    sys.stdout.write(table(report) + "\n")
    sys.exit(not report.harmless)


if __name__ == "__main__":
    main()
