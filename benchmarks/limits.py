"""Rate limits of many users at many workers, which share only the store.

Each user first sends three times the limit, each request to a random worker. Then they repeat: wait exactly as long as
the refusal says, and send one request. The store is the Cosmos emulator, whose log counts the operations.
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
from emulators.script import Script, ServedRequest
from emulators.serving import serving

OFFERED = 3
"""Offered load, in multiples of the limit."""


@dataclass(frozen=True, slots=True)
class Size:
    """The scale of the measurement."""

    workers: int = 10
    users: int = 200
    limit: int = 10
    window_seconds: int = 40
    offering_seconds: int = 50
    waiting_seconds: int = 40
    """Duration of the second phase, in which users wait as refusals say."""


@dataclass(slots=True)
class Observation:
    """The responses that users received."""

    admitted: dict[int, list[int]] = field(default_factory=dict)
    """Times of admitted requests by user, in milliseconds since 1970."""
    admission_ms: list[float] = field(default_factory=list)
    refused: int = 0
    failed: int = 0
    """Requests for which the store did not respond in time: the machine is too busy, so they prove nothing."""
    waits: list[float] = field(default_factory=list)
    """The waits that refusals gave, in seconds."""
    refused_after_wait: int = 0

    @property
    def times(self) -> int:
        return sum(map(len, self.admitted.values()))


async def benchmark() -> AsyncGenerator[Figure]:
    """Measure for a minute and a half."""
    async for figure in limits(Size()):
        yield figure


async def limits(size: Size) -> AsyncGenerator[Figure]:
    """Measure over-admission, whether a request after the given wait is admitted, and the cost in store operations."""
    script = Script()
    # The script's own log drops old entries; this one does not.
    script.served = deque()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(serving(cosmos_app(None, script=script)))
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        settings = {"COSMOS_ENDPOINT": store, "COSMOS_KEY": LOCAL_KEY}
        module, arguments = "benchmarks.limits_worker", (str(size.limit), str(size.window_seconds))
        workers = [
            await stack.enter_async_context(child(module, *arguments, settings=settings)) for _ in range(size.workers)
        ]
        script.served.clear()
        crowd = _Crowd(size, http, [worker.addresses["url"] for worker in workers])
        await asyncio.gather(*(crowd.run_user(user) for user in range(size.users)))
    for figure in _figures(size, crowd.observed, script.served):
        yield figure


class _Crowd:
    """All users, each with a number."""

    def __init__(self, size: Size, http: aiohttp.ClientSession, workers: Sequence[str]) -> None:
        self._size = size
        self._http = http
        self._workers = workers
        self.observed = Observation()

    async def run_user(self, user: int) -> None:
        size = self._size
        count = size.limit * OFFERED * size.offering_seconds // size.window_seconds
        await asyncio.gather(*(self._request_at(random.uniform(0, size.offering_seconds), user) for _ in range(count)))
        await self._wait_for_retry_after(user)

    async def _request_at(self, moment: float, user: int) -> None:
        await asyncio.sleep(moment)
        await self._request(user)

    async def _request(self, user: int) -> float | None:
        """Send a request to a random worker; returns the wait in seconds, 0 if admitted, None if the store failed."""
        async with self._http.get(f"{random.choice(self._workers)}/admit", params={"user": str(user)}) as response:
            document = await response.json()
        if document["failed"]:
            self.observed.failed += 1
            return None
        if document["wait"]:
            self.observed.refused += 1
        else:
            self.observed.admitted.setdefault(user, []).append(document["at"])
            self.observed.admission_ms.append(document["ms"])
        return float(document["wait"])

    async def _wait_for_retry_after(self, user: int) -> None:
        now = asyncio.get_running_loop().time
        ends = now() + self._size.waiting_seconds
        while now() < ends:
            if wait := await self._request(user):
                await asyncio.sleep(wait)
                again = await self._request(user)
                if again is not None:
                    self.observed.waits.append(wait)
                    self.observed.refused_after_wait += again > 0


def too_many(moments: Sequence[int], limit: int, window: int) -> int:
    """The number of *moments* that exceed *limit* in the *window* that ends with them; times in milliseconds."""
    ordered = sorted(moments)
    return sum(number + 1 - bisect_right(ordered, moment - window) > limit for number, moment in enumerate(ordered))


def _figures(size: Size, observed: Observation, served: Sequence[ServedRequest]) -> list[Figure]:
    times = observed.times
    over = sum(too_many(moments, size.limit, size.window_seconds * 1000) for moments in observed.admitted.values())
    admitted_percent = 100 * (1 - observed.refused_after_wait / max(1, len(observed.waits)))
    ran = Counter(f"{entry.operation} {entry.outcome}" for entry in served)
    refusing = ran["patch status-412"] + ran["read done"]
    return [
        Figure(
            name=f"admission, {size.workers} workers, {size.users} users",
            unit="ms",
            values=observed.admission_ms,
            targets=(Target("over_percent", 1), Target("failed", 0)),
            facts={
                "over_percent": round(100 * over / times, 3),
                "admitted": times,
                "refused": observed.refused,
                "failed": observed.failed,
                "operations_an_admission": round((sum(ran.values()) - refusing) / times, 3),
                "operations_a_refusal": round(refusing / max(1, observed.refused), 3),
            },
        ),
        Figure(
            name="wait until admitted",
            unit="s",
            values=observed.waits,
            targets=(Target("admitted_percent", 99.9, least=True),),
            facts={"admitted_percent": round(admitted_percent, 3), "refused_again": observed.refused_after_wait},
        ),
    ]


if __name__ == "__main__":
    command(benchmark)
