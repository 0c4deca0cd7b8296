"""Leaks of sessions: the server's memory, tasks, threads and descriptors after many are opened and closed."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from benchmarks.figures import Figure, Target
from benchmarks.load import MEGABYTE
from benchmarks.peer import negotiate, now
from benchmarks.processes import Child, child
from fakes.webrtc import Caller

WARM = 50
"""Cycles before the first measurement of memory."""
AT_ONCE = 4
BATCH = 100
"""Cycles before a wait for the server to notice cut sessions; otherwise a worker would exceed its most sessions."""
CUT = 5
"""One session in this many is cut off at a random point."""
CUT_SECONDS = 0.4
"""Latest point of a cut; by then every session has been connected for long and receives an utterance."""
RELEASE_SECONDS = 60.0
"""Longest wait until the server has noticed and released cut sessions."""


async def cycles(count: int) -> AsyncGenerator[Figure]:
    """Measure *count* sessions after the first `WARM`."""
    async with served() as (server, http):
        before = await resources(http)
        resident = []
        for batch in (WARM, *(min(BATCH, count - done) for done in range(0, count, BATCH))):
            await open_and_close(http, batch)
            leaked_resources = await leaked(http, before)
            resident.append(server.resident_bytes or 0)
    growth = (resident[-1] - resident[0]) / MEGABYTE
    yield Figure(
        name=f"memory after {WARM} sessions and every {BATCH}",
        unit="MB",
        values=[size / MEGABYTE for size in resident],
        targets=(Target("growth_mb", 10), *(Target(name, 0) for name in leaked_resources)),
        facts={"growth_mb": round(growth, 1), **leaked_resources},
    )


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Child, aiohttp.ClientSession]]:
    """The product's server after one session, and a client that closes each connection after its request."""
    async with (
        child("benchmarks.server", "scripted") as server,
        aiohttp.ClientSession(server.addresses["url"], connector=aiohttp.TCPConnector(force_close=True)) as http,
    ):
        await _cycle(http, cut=False)
        yield server, http


async def open_and_close(http: aiohttp.ClientSession, count: int, cut: int = CUT) -> None:
    """Run *count* sessions, `AT_ONCE` at a time, every *cut*-th of them cut off."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with free:
            await _cycle(http, cut=number % cut == cut - 1)

    await asyncio.gather(*(one(number) for number in range(count)))


async def _cycle(http: aiohttp.ClientSession, *, cut: bool) -> None:
    """Open a session, speak, and end it: by closing it or, with *cut*, without a message to the server."""
    caller = Caller()
    transport = caller.connection.getTransceivers()[0].receiver.transport.transport
    if cut:
        with suppress(TimeoutError):
            await asyncio.wait_for(_talk(http, caller, 10.0), random.uniform(0, CUT_SECONDS))
        # No message is sent: the server has to detect that the client is gone.
        await transport._connection.close()
    else:
        await _talk(http, caller, 0.05)
    await caller.close()


async def _talk(http: aiohttp.ClientSession, caller: Caller, seconds: float) -> None:
    await negotiate(http, caller)
    await caller.connected()
    caller.press()
    await asyncio.sleep(seconds)


async def resources(http: aiohttp.ClientSession) -> dict[str, int]:
    """The numbers of tasks, threads and descriptors of the server."""
    async with http.get("/resources") as response:
        counts: dict[str, int] = await response.json()
        return counts


async def leaked(http: aiohttp.ClientSession, before: dict[str, int]) -> dict[str, int]:
    """The server's resources in excess of *before*, after it has had time to release them."""
    until = now() + RELEASE_SECONDS
    while True:
        leaked_resources = {f"{name}_left": count - before[name] for name, count in (await resources(http)).items()}
        if max(leaked_resources.values()) <= 0 or now() > until:
            return leaked_resources
        await asyncio.sleep(1)
