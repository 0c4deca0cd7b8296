"""Sessions that are opened and closed again and again: what do they leave behind?"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from benchmarks.figures import Figure, Target
from benchmarks.load import MEGABYTE
from benchmarks.peer import negotiate, now
from benchmarks.processes import Child, child
from tests.webrtc import Caller

WARM = 50
"""Cycles before memory is looked at."""
AT_ONCE = 4
BATCH = 100
"""After so many, what was cut off may be noticed: else a worker would hold more sessions at once than it takes."""
CUT = 5
"""One of so many is cut off at a random point."""
CUT_SECONDS = 0.4
"""By then every session has long been connected, and hears an utterance."""
LET_GO_SECONDS = 60.0
"""For what was cut off to be noticed and freed."""


async def cycles(count: int) -> AsyncGenerator[Figure]:
    """*count* sessions after the first `WARM`."""
    async with served() as (server, http):
        before = await held(http)
        resident = []
        for batch in (WARM, *(min(BATCH, count - done) for done in range(0, count, BATCH))):
            await open_and_close(http, batch)
            kept = await left(http, before)
            resident.append(server.resident_bytes or 0)
    growth = (resident[-1] - resident[0]) / MEGABYTE
    yield Figure(
        name=f"memory after {WARM} sessions and every {BATCH}",
        unit="MB",
        values=[size / MEGABYTE for size in resident],
        targets=(Target("growth_mb", 10), *(Target(name, 0) for name in kept)),
        facts={"growth_mb": round(growth, 1), **kept},
    )


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Child, aiohttp.ClientSession]]:
    """The product's server with one session behind it, and a client whose connections it need not hold on to."""
    async with (
        child("benchmarks.server", "scripted") as server,
        aiohttp.ClientSession(server.told["url"], connector=aiohttp.TCPConnector(force_close=True)) as http,
    ):
        await _cycle(http, cut=False)
        yield server, http


async def open_and_close(http: aiohttp.ClientSession, count: int, cut: int = CUT) -> None:
    """Some at once, every *cut*-th of them cut off."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with free:
            await _cycle(http, cut=number % cut == cut - 1)

    await asyncio.gather(*(one(number) for number in range(count)))


async def _cycle(http: aiohttp.ClientSession, *, cut: bool) -> None:
    """Open a session, say something, and leave: by closing it, or cut off."""
    caller = Caller()
    transport = caller.connection.getTransceivers()[0].receiver.transport.transport
    if cut:
        with suppress(TimeoutError):
            await asyncio.wait_for(_talk(http, caller, 10.0), random.uniform(0, CUT_SECONDS))
        # Without a word of farewell: the server has to find out.
        await transport._connection.close()
    else:
        await _talk(http, caller, 0.05)
    await caller.close()


async def _talk(http: aiohttp.ClientSession, caller: Caller, seconds: float) -> None:
    await negotiate(http, caller)
    await caller.connected()
    caller.press()
    await asyncio.sleep(seconds)


async def held(http: aiohttp.ClientSession) -> dict[str, int]:
    """How many tasks, threads and descriptors the server has."""
    async with http.get("/held") as response:
        held: dict[str, int] = await response.json()
        return held


async def left(http: aiohttp.ClientSession, before: dict[str, int]) -> dict[str, int]:
    """What the server holds more than *before*, when it has had time to let go."""
    until = now() + LET_GO_SECONDS
    while True:
        kept = {f"{name}_left": count - before[name] for name, count in (await held(http)).items()}
        if max(kept.values()) <= 0 or now() > until:
            return kept
        await asyncio.sleep(1)
