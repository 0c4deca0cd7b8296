"""Creates resources in a running product, so that requests can refer to existing ones."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp

from fakes.eventually import HANG_SECONDS
from fakes.webrtc import Caller
from tests.functions.turns import recording

FRAGMENT = "a=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"
"""A trickle ICE fragment (RFC 8840)."""


@dataclass(frozen=True, slots=True)
class KnownResources:
    """Existing resources that requests may refer to."""

    ids: dict[str, str]
    """Ids by the names of path parameters."""
    offer: str
    """SDP offer of a client that waits for an answer."""
    fragment: str
    """SDP fragment with one more candidate."""

    @classmethod
    def from_json(cls, text: str) -> "KnownResources":
        return cls(**json.loads(text))

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@asynccontextmanager
async def known_resources(base: str) -> AsyncIterator[KnownResources]:
    """Create a turn with its speech, a completed clip, and a session that lasts as long as the context."""
    caller = Caller()
    try:
        async with aiohttp.ClientSession(base, raise_for_status=True) as http:
            turn = await _posted(http, "process", {"text": "Hello.", "speech": "url"})
            clip = await _done_clip(http)
            offer = await caller.offer()
            session = await _posted(http, "session", {"offer": {"type": "offer", "sdp": offer}})
        await caller.accept(session["answer"]["sdp"])
        await caller.connected()
        ids = {
            "conversationId": turn["conversationId"],
            "turnId": turn["turnId"],
            "clipId": clip,
            "sessionId": session["sessionId"],
        }
        yield KnownResources(ids, offer, FRAGMENT)
    finally:
        await caller.close()


async def _done_clip(http: aiohttp.ClientSession) -> str:
    """Create clips until one is done: a busy machine may upload too late."""
    async with asyncio.timeout(HANG_SECONDS):
        while (clip := await _clip(http))["status"] != "done":
            pass
    return str(clip["clipId"])


async def _clip(http: aiohttp.ClientSession) -> dict[str, Any]:
    """Create a clip, upload its recording, and return its final state."""
    opened = await _posted(http, "clips", {})
    upload, path = opened["upload"], f"clips/{opened['clipId']}"
    uploading = http.request(
        upload["method"], upload["url"], headers=upload["headers"], data=recording(), raise_for_status=False
    )
    async with uploading, http.get(path, headers={"Accept": "text/event-stream"}) as events:
        # The stream ends when the clip does.
        await events.read()
    async with http.get(path) as response:
        clip: dict[str, Any] = await response.json()
        return clip


async def _posted(http: aiohttp.ClientSession, path: str, document: dict[str, object]) -> dict[str, Any]:
    """The response to *document*, which is sent again as long as that is a problem that says so: a busy machine."""
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            async with http.post(path, json=document, raise_for_status=False) as response:
                created: dict[str, Any] = await response.json()
                if response.ok:
                    return created
                assert created["retryable"], created
                await asyncio.sleep(int(response.headers.get("Retry-After", 0)))
