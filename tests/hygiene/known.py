"""Things that exist in a product, made so that there is something to ask for."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp

from tests.functions.turns import recording
from tests.webrtc import Caller

CLIP_SECONDS = 60.0
"""That a clip of a second may take on a busy machine."""

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
            clip = await _clip(http)
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


async def _clip(http: aiohttp.ClientSession) -> str:
    """One that is done."""
    opened = await _posted(http, "clips", {})
    upload = opened["upload"]
    async with http.request(upload["method"], upload["url"], headers=upload["headers"], data=recording()):
        pass
    async with (
        asyncio.timeout(CLIP_SECONDS),
        http.get(f"clips/{opened['clipId']}", headers={"Accept": "text/event-stream"}) as events,
    ):
        # It ends when the clip does.
        await events.read()
    return str(opened["clipId"])


async def _posted(http: aiohttp.ClientSession, path: str, document: dict[str, object]) -> dict[str, Any]:
    async with http.post(path, json=document) as response:
        answer: dict[str, Any] = await response.json()
        return answer
