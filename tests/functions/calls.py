"""Sessions as clients open them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiortc import RTCIceServer

from fakes.eventually import eventually
from fakes.webrtc import Caller
from tests.conftest import Product

PRESSED_SECONDS = 0.4
"""Length of an utterance, however long a busy machine takes to send it."""


async def speak(caller: Caller, seconds: float = PRESSED_SECONDS) -> None:
    """Keep the client's microphone on for *seconds*, and until that much sound has been sent."""
    due = caller.mouth.sent + round(seconds / 0.02)
    await asyncio.sleep(seconds)
    await eventually(lambda: caller.mouth.sent >= due)


@asynccontextmanager
async def call(
    product: Product, caller: Caller | None = None, **members: Any
) -> AsyncIterator[tuple[Caller, dict[str, Any]]]:
    """A client with a session, and the response to its negotiation."""
    caller = caller or Caller()
    try:
        async with product.post("/session", json={"offer": await offer(caller), **members}) as response:
            document = await response.json()
            assert response.status == 201, document
            assert response.headers["Location"] == f"/api/voice/session/{document['sessionId']}"
        await caller.accept(document["answer"]["sdp"])
        await caller.connected()
        yield caller, document
    finally:
        await caller.close()


async def offer(caller: Caller) -> dict[str, str]:
    return {"type": "offer", "sdp": await caller.offer()}


def servers(documents: list[dict[str, Any]]) -> list[RTCIceServer]:
    return [RTCIceServer(one["urls"], one.get("username"), one.get("credential")) for one in documents]
