"""Requests and responses of a client of /process."""

import json
from base64 import b64encode
from typing import Any

import aiohttp

from fakes.sound import voice_like
from voice_core.audio import wav

RATE = 16_000


def recording(seconds: float = 1.0) -> bytes:
    """A WAV with speech, as a phone records it."""
    return wav.whole(voice_like(seconds), RATE)


def base64(data: bytes) -> str:
    return b64encode(data).decode()


async def sse(response: aiohttp.ClientResponse) -> list[dict[str, Any]]:
    """The events of a complete stream."""
    assert response.headers["content-type"].startswith("text/event-stream")
    return parse_sse(await response.text())


def parse_sse(text: str) -> list[dict[str, Any]]:
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line)
        if fields:
            document = json.loads(fields["data"])
            assert document["type"] == fields["event"]
            events.append(document)
    return events


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]
