"""A client that hangs up stops the work: seen at the emulators, within 100 ms."""

import asyncio
import json
from time import monotonic
from urllib.parse import urlsplit

import pytest

from emulators.script import Script, Served, Step
from tests.conftest import Product
from tests.eventually import eventually
from tests.functions.turns import recording
from voice_core.domain.conversation import Turn

WITHIN_SECONDS = 0.1


class Caller:
    """A client on a bare socket, who can leave at any byte."""

    def __init__(self, product: Product) -> None:
        self._address = urlsplit(product.url)

    async def call(self, body: bytes, *, promised: int | None = None, accept: str = "text/event-stream") -> None:
        """Send *body*, as the beginning of *promised* bytes."""
        host, port = self._address.hostname, self._address.port
        self.reader, self._writer = await asyncio.open_connection(host, port)
        content_type = "application/json" if body.startswith(b"{") else "audio/wav"
        head = (
            f"POST {self._address.path}/process HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: {accept}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {promised or len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        await self._writer.drain()

    async def until(self, marker: bytes) -> None:
        await asyncio.wait_for(self.reader.readuntil(marker), 10)

    def hang_up(self) -> float:
        """Leave; the moment of it."""
        self._writer.transport.abort()
        return monotonic()


def latest(script: Script, operation: str) -> Served | None:
    return next((served for served in reversed(script.served) if served.operation == operation), None)


async def stopped(script: Script, operation: str, left: float) -> None:
    """The latest request of *operation* ends because its caller left, soon after *left*."""
    served = latest(script, operation)
    assert served is not None
    await eventually(lambda: served.ended is not None)
    assert served.outcome in ("cancelled", "hung")
    assert served.ended is not None
    assert served.ended - left < WITHIN_SECONDS


async def eventually_kept(product: Product) -> Turn:
    """The turn that the conversation keeps of what was delivered, once it is there."""
    await eventually(lambda: latest(product.services.cosmos, "batch"))
    batch = latest(product.services.cosmos, "batch")
    assert batch is not None
    await eventually(lambda: batch.ended)
    page = await product.app.conversations.list("local", 1, None)
    turns = await product.app.conversations.turns("local", page.items[0].id, 1, None)
    return turns.items[0]


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", "audio/wav"])
async def test_hanging_up_while_the_assistant_thinks_stops_it(product: Product, accept: str) -> None:
    """Before the first token, however the answer was to come."""
    product.services.openai.add("chat", Step(hang=True))
    caller = Caller(product)
    await caller.call(json.dumps({"text": "hi"}).encode(), accept=accept)
    await eventually(lambda: latest(product.services.openai, "chat"))

    left = caller.hang_up()

    await stopped(product.services.openai, "chat", left)


async def test_hanging_up_while_the_assistant_writes_stops_it(product: Product) -> None:
    """Between two tokens; the conversation keeps what was delivered."""
    product.services.openai.add("chat", Step(text="one two three four", tokens_per_second=2))
    caller = Caller(product)
    await caller.call(json.dumps({"text": "hi", "speech": "none"}).encode())
    await caller.until(b"one")

    left = caller.hang_up()

    await stopped(product.services.openai, "chat", left)
    kept = await eventually_kept(product)
    assert (kept.reply, kept.interrupted) == ("one", True)


async def test_hanging_up_while_it_speaks_stops_the_synthesis(product: Product) -> None:
    """In the middle of a sentence's speech."""
    product.services.speech.clear()
    product.services.speech.add("tts", Step(tone=True, real_time_factor=0.5, repeat=True))
    caller = Caller(product)
    await caller.call(json.dumps({"text": "hi"}).encode())
    await caller.until(b"speech.audio.delta")

    left = caller.hang_up()

    await stopped(product.services.speech, "tts", left)


async def test_hanging_up_while_speaking_stops_the_recognition(product: Product) -> None:
    """In the middle of the utterance; nothing is kept."""
    caller = Caller(product)
    whole = recording(4.0)
    await caller.call(whole[: len(whole) // 2], promised=len(whole))
    await eventually(lambda: latest(product.services.speech, "stt"))

    left = caller.hang_up()

    served = latest(product.services.speech, "stt")
    assert served is not None
    await eventually(lambda: served.ended is not None)
    assert served.ended is not None
    assert served.ended - left < WITHIN_SECONDS
    assert not product.services.openai.served
    async with product.get("/conversations") as response:
        assert (await response.json())["conversations"] == []
