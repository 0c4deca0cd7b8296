"""A run of the fuzz test: worker processes, and what they report."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from tests.conftest import ROOT
from tests.hygiene.fuzz_worker import UNTYPED, InputResult

START_SECONDS = 600.0
"""Time in which a worker imports the product and generates the recordings, on a slow and busy machine too."""

HANG_SECONDS = 300.0
"""A worker that is silent for longer hangs: decoding stops after 10 s, and the slowest input takes less than one."""

MOST_STEPS = 2_000_000
"""Limit of calls and jumps of Python functions in a worker for one input. Work in C, and that of decoder processes, is
not counted."""

MOST_BYTES = 500_000_000
"""Limit of a worker's memory, half of it used before the first input."""

GROWTH_BYTES = 100_000_000
"""Limit of a worker's growth in the second half of its run: room for one more large sound, none for a leak."""


@dataclass
class Report:
    """Results of all inputs."""

    results: list[InputResult] = field(default_factory=list)
    crashed: dict[int, str] = field(default_factory=dict)
    """How each crash ended the worker, by number of input."""
    hung: list[int] = field(default_factory=list)
    growth_bytes: int = 0
    """Largest growth of a worker in the second half of its run; the first half fills the heap."""

    @property
    def untyped(self) -> list[InputResult]:
        return [one for one in self.results if one.outcome == UNTYPED]

    @property
    def busy(self) -> list[InputResult]:
        """Inputs that took more than `MOST_STEPS`."""
        return [one for one in self.results if one.steps > MOST_STEPS]

    @property
    def harmless(self) -> bool:
        return (
            not (self.crashed or self.hung or self.busy or self.untyped)
            and self.growth_bytes < GROWTH_BYTES
            and self.peak_bytes < MOST_BYTES
        )

    @property
    def peak_bytes(self) -> int:
        """Highest memory use of a worker."""
        return max((one.peak_bytes for one in self.results), default=0)


@dataclass(frozen=True, slots=True)
class FuzzRun:
    """One run: *count* inputs of *seed*, numbered from 0, in *jobs* processes; of some *kinds*, or of all."""

    count: int
    seed: int = 1
    jobs: int = 2
    kinds: Sequence[str] = ()
    first: int = 0
    worker: str = "tests.hygiene.fuzz_worker"
    """The module that passes inputs to their doors."""
    timeout_seconds: float = HANG_SECONDS
    """After which a silent worker is killed."""

    async def run(self) -> Report:
        report = Report()
        await asyncio.gather(*(self._job(self.first + job, report) for job in range(self.jobs)))
        return report

    @property
    def _end(self) -> int:
        return self.first + self.count

    async def _job(self, first: int, report: Report) -> None:
        """Run every input that is *first* modulo the number of jobs; continue after one that ends the worker."""
        while first < self._end:
            peaks = []
            async for one in self._worker(range(first, self._end, self.jobs), report):
                report.results.append(one)
                peaks.append(one.peak_bytes)
                first = one.number + self.jobs
            if peaks:
                report.growth_bytes = max(report.growth_bytes, peaks[-1] - peaks[len(peaks) // 2])
            # Either past the end, or skip the input that ended the worker.
            first += self.jobs

    async def _worker(self, numbers: range, report: Report) -> AsyncIterator[InputResult]:
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", self.worker),
            *(str(number) for number in (self.seed, numbers.start, numbers.step, numbers.stop)),
            *self.kinds,
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
                one = InputResult(**json.loads(line))
                reached, timeout = one.number + numbers.step, self.timeout_seconds
                yield one
        except TimeoutError:
            report.hung.append(reached)
        else:
            if await worker.wait():
                report.crashed[reached] = f"{_ended(worker.returncode)}: {(await complaints).decode()[-2000:]}"
        finally:
            if worker.returncode is None:
                worker.kill()
            await worker.wait()
            await complaints


def _ended(code: int | None) -> str:
    return f"signal {-code}" if code and code < 0 else f"status {code}"
