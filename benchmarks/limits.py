"""The limits of many users at many workers that know nothing of one another.

Everybody asks for three times as much as they may have, whichever worker they meet. Then they wait as they are told,
and ask once when they may, again and again. The store is the Cosmos emulator, which counts what it is asked.
"""

import asyncio
import random
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp

from benchmarks.figures import Figure, Target, command
from benchmarks.processes import child
from emulators.cosmos import LOCAL_KEY, cosmos_app
from emulators.script import Script, Served
from emulators.serving import serving

ASKED = 3
"""Times the limit."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it."""

    workers: int = 10
    users: int = 200
    most: int = 10
    window_seconds: int = 40
    asking_seconds: int = 50
    waiting_seconds: int = 40
    """After that: everybody begins by using up what they may have."""


@dataclass(slots=True)
class Seen:
    """What users saw."""

    admitted: dict[int, list[int]] = field(default_factory=dict)
    """By user: when, in milliseconds since 1970."""
    admission_ms: list[float] = field(default_factory=list)
    refused: int = 0
    failed: int = 0
    """The store did not answer in time; the machine is too busy, and nothing is shown by these."""
    waits: list[float] = field(default_factory=list)
    """Seconds, as told."""
    waited_in_vain: int = 0

    @property
    def times(self) -> int:
        return sum(map(len, self.admitted.values()))


async def benchmark() -> AsyncGenerator[Figure]:
    """A minute and a half of it."""
    async for figure in limits(Size()):
        yield figure


async def limits(size: Size) -> AsyncGenerator[Figure]:
    """Over-admission, whether waits are true, and what it costs."""
    script = Script()
    # Its own log forgets.
    script.served = deque()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(serving(cosmos_app(None, script=script)))
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        settings = {"COSMOS_ENDPOINT": store, "COSMOS_KEY": LOCAL_KEY}
        module, arguments = "benchmarks.limits_worker", (str(size.most), str(size.window_seconds))
        workers = [
            await stack.enter_async_context(child(module, *arguments, settings=settings)) for _ in range(size.workers)
        ]
        script.served.clear()
        crowd = _Crowd(size, http, [worker.told["url"] for worker in workers])
        await asyncio.gather(*(crowd.live(user) for user in range(size.users)))
    for figure in _figures(size, crowd.seen, script.served):
        yield figure


class _Crowd:
    """All users, each with a number."""

    def __init__(self, size: Size, http: aiohttp.ClientSession, workers: Sequence[str]) -> None:
        self._size = size
        self._http = http
        self._workers = workers
        self.seen = Seen()

    async def live(self, user: int) -> None:
        size = self._size
        count = size.most * ASKED * size.asking_seconds // size.window_seconds
        await asyncio.gather(*(self._ask_at(random.uniform(0, size.asking_seconds), user) for _ in range(count)))
        await self._wait_as_told(user)

    async def _ask_at(self, moment: float, user: int) -> None:
        await asyncio.sleep(moment)
        await self._ask(user)

    async def _ask(self, user: int) -> float | None:
        """Ask any worker once; the wait it tells, in seconds, or None when it could not count."""
        async with self._http.get(f"{random.choice(self._workers)}/admit", params={"user": str(user)}) as response:
            answer = await response.json()
        if answer["failed"]:
            self.seen.failed += 1
            return None
        if answer["wait"]:
            self.seen.refused += 1
        else:
            self.seen.admitted.setdefault(user, []).append(answer["at"])
            self.seen.admission_ms.append(answer["ms"])
        return float(answer["wait"])

    async def _wait_as_told(self, user: int) -> None:
        now = asyncio.get_running_loop().time
        ends = now() + self._size.waiting_seconds
        while now() < ends:
            if wait := await self._ask(user):
                await asyncio.sleep(wait)
                again = await self._ask(user)
                if again is not None:
                    self.seen.waits.append(wait)
                    self.seen.waited_in_vain += again > 0


def too_many(moments: Sequence[int], most: int, window: int) -> int:
    """How many of *moments* were not the first *most* of any window that ends with them; all in milliseconds."""
    ordered = sorted(moments)
    return sum(number + 1 - bisect_right(ordered, moment - window) > most for number, moment in enumerate(ordered))


def _figures(size: Size, seen: Seen, served: Sequence[Served]) -> list[Figure]:
    times = seen.times
    over = sum(too_many(moments, size.most, size.window_seconds * 1000) for moments in seen.admitted.values())
    true = 100 * (1 - seen.waited_in_vain / max(1, len(seen.waits)))
    ran = Counter(f"{entry.operation} {entry.outcome}" for entry in served)
    refusing = ran["patch status-412"] + ran["read done"]
    return [
        Figure(
            name=f"admission, {size.workers} workers, {size.users} users",
            unit="ms",
            values=seen.admission_ms,
            targets=(Target("over_percent", 1), Target("failed", 0)),
            facts={
                "over_percent": round(100 * over / times, 3),
                "admitted": times,
                "refused": seen.refused,
                "failed": seen.failed,
                "operations_an_admission": round((sum(ran.values()) - refusing) / times, 3),
                "operations_a_refusal": round(refusing / max(1, seen.refused), 3),
            },
        ),
        Figure(
            name="wait as told",
            unit="s",
            values=seen.waits,
            targets=(Target("true_percent", 99.9, least=True),),
            facts={"true_percent": round(true, 3), "in_vain": seen.waited_in_vain},
        ),
    ]


if __name__ == "__main__":
    command(benchmark)
