"""Things that exist in a product, made so that there is something to ask for."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp

from tests.eventually import PATIENCE_SECONDS
from tests.functions.turns import recording
from tests.webrtc import Caller

FRAGMENT = "a=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"
"""RFC 8840."""


@dataclass(frozen=True, slots=True)
class Known:
    """What requests may refer to."""

    ids: dict[str, str]
    """By the names of path parameters."""
    offer: str
    """SDP of a client that waits for an answer."""
    fragment: str
    """SDP of one more candidate."""

    @classmethod
    def from_json(cls, text: str) -> "Known":
        return cls(**json.loads(text))

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@asynccontextmanager
async def known_things(base: str) -> AsyncIterator[Known]:
    """A turn with its speech, a clip with all of its parts, and a session that lasts as long as the context."""
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
        yield Known(ids, offer, FRAGMENT)
    finally:
        await caller.close()


async def _done_clip(http: aiohttp.ClientSession) -> str:
    """The first that is: a busy machine may be too late with an upload."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (clip := await _clip(http))["status"] != "done":
            pass
    return str(clip["clipId"])


async def _clip(http: aiohttp.ClientSession) -> dict[str, Any]:
    """How a new one ends."""
    opened = await _posted(http, "clips", {})
    upload, path = opened["upload"], f"clips/{opened['clipId']}"
    uploading = http.request(
        upload["method"], upload["url"], headers=upload["headers"], data=recording(), raise_for_status=False
    )
    async with uploading, http.get(path, headers={"Accept": "text/event-stream"}) as events:
        # It ends when the clip does.
        await events.read()
    async with http.get(path) as response:
        clip: dict[str, Any] = await response.json()
        return clip


async def _posted(http: aiohttp.ClientSession, path: str, document: dict[str, object]) -> dict[str, Any]:
    async with http.post(path, json=document) as response:
        answer: dict[str, Any] = await response.json()
        return answer
