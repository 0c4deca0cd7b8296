"""Many concurrent turns through the real SDKs: failures, turns per second, CPU and memory.

The emulators respond without delay, so that only the machine limits the pace.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from time import perf_counter

from benchmarks.figures import BenchmarkFailed, Figure, Target, command
from benchmarks.phone import phone, recording
from benchmarks.processes import Child, child

PHONES = 50
TURNS = 1_000
SAMPLE_TURNS = 100
UTTERANCE_SECONDS = 2
MEGABYTE = 1 << 20


async def benchmark() -> AsyncGenerator[Figure]:
    """Measure for some forty seconds."""
    async for figure in turns(PHONES, TURNS, SAMPLE_TURNS):
        yield figure


async def turns(phones: int, count: int, sample: int) -> AsyncGenerator[Figure]:
    """Measure *count* turns after a first one of each of *phones*; a phone starts its next turn at once.

    CPU and memory are read after every *sample* turns.
    """
    async with (
        child("benchmarks.services", "at-once") as services,
        child("benchmarks.server", "sdk", settings=services.addresses) as server,
    ):
        load = Load(server, phones, count, sample)
        await asyncio.gather(*(load.talk() for _ in range(phones)))
    yield load.turn_times()
    if memory := load.memory():
        yield memory


@dataclass(frozen=True, slots=True)
class Mark:
    """CPU and memory of the server after a number of turns."""

    turns: int
    seconds: float
    cpu_seconds: float | None
    resident_bytes: int | None


class Load:
    """Keeps a server busy; the first *phones* turns only warm it up."""

    def __init__(self, server: Child, phones: int, count: int, sample: int) -> None:
        self._server = server
        self._phones = phones
        self._last = phones + count
        self._sample = sample
        self._audio = [recording(UTTERANCE_SECONDS)]
        self._started = self._ended = self._failed = 0
        self._milliseconds: list[float] = []
        self._marks: list[Mark] = []

    async def talk(self) -> None:
        """Take one phone's turns, each on a new connection."""
        while self._started < self._last:
            self._started += 1
            await self._take_turn()
            self._ended += 1
            if self._ended >= self._phones and (self._ended - self._phones) % self._sample == 0:
                self._marks.append(self._mark())

    async def _take_turn(self) -> None:
        began = perf_counter()
        try:
            async with phone(self._server.addresses["url"]) as caller:
                await caller.turn(self._audio)
        except ConnectionRefusedError as error:
            raise BenchmarkFailed("the server has exited; see its output above") from error
        except (BenchmarkFailed, OSError, EOFError) as failure:
            print(f"failed: {failure}", file=sys.stderr)
            self._failed += 1
        self._milliseconds.append((perf_counter() - began) * 1000)

    def _mark(self) -> Mark:
        return Mark(self._ended, perf_counter(), self._server.cpu_seconds, self._server.resident_bytes)

    def turn_times(self) -> Figure:
        """Duration of complete turns, and turns per second."""
        first, last = self._marks[0], self._marks[-1]
        count = last.turns - first.turns
        cpu = None if last.cpu_seconds is None or first.cpu_seconds is None else last.cpu_seconds - first.cpu_seconds
        return Figure(
            name=f"complete turns through the SDKs, {self._phones} at once",
            unit="ms",
            values=self._milliseconds[self._phones :],
            targets=(Target("failed", 0),),
            facts={
                "failed": self._failed,
                "turns_a_second": round(count / (last.seconds - first.seconds), 1),
                **({} if cpu is None else {"cpu_seconds_a_turn": round(cpu / count, 4)}),
            },
        )

    def memory(self) -> Figure | None:
        """Resident memory of the server, from the first turns to the last."""
        resident = [mark.resident_bytes / MEGABYTE for mark in self._marks if mark.resident_bytes is not None]
        if not resident:
            return None
        return Figure(
            name=f"memory, after {self._phones} turns and every {self._sample}",
            unit="MB",
            values=resident,
            targets=(Target("growth_percent", 10),),
            facts={
                "growth_percent": round(100 * (resident[-1] / resident[0] - 1), 1),
                "megabytes": ", ".join(f"{megabytes:.0f}" for megabytes in resident),
            },
        )


if __name__ == "__main__":
    command(benchmark)
