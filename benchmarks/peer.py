"""WebRTC clients of the benchmarks' server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from benchmarks.figures import BenchmarkFailed
from benchmarks.processes import Child
from fakes.webrtc import Caller


@asynccontextmanager
async def session(server: Child) -> AsyncIterator[Caller]:
    """A connected client."""
    async with aiohttp.ClientSession(server.addresses["url"]) as http:
        caller = Caller()
        try:
            await negotiate(http, caller)
            await caller.connected()
            yield caller
        finally:
            await caller.close()


async def negotiate(http: aiohttp.ClientSession, caller: Caller) -> float:
    """Open a session; returns the milliseconds from the offer to the answer."""
    offer = {"type": "offer", "sdp": await caller.offer()}
    began = now()
    async with http.post("/api/voice/session", json={"offer": offer}) as response:
        document = await response.json()
        if response.status != 201:
            raise BenchmarkFailed(f"negotiation failed: {document}")
    took = (now() - began) * 1000
    await caller.accept(document["answer"]["sdp"])
    return took


def now() -> float:
    """The event loop's time in seconds."""
    return asyncio.get_running_loop().time()
