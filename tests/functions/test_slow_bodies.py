"""Clients that never end, trickle or lie about their length: told off in time, on bare sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import Product, ProductWith
from tests.eventually import PATIENCE_SECONDS, eventually
from tests.functions.test_hangup import latest
from tests.functions.turns import recording

STALL_SECONDS = 0.3
BODY_SECONDS = 1.0
NEVER_SECONDS = 1000.0
"""The limit that a test is not about."""

STALLED = {
    "a recording": ("/process", "audio/wav", recording()[:1000]),
    "a recording of which nothing came": ("/process", "audio/wav", b""),
    "JSON": ("/process", "application/json", b'{"audioData": "UklG'),
    "a form": (
        "/process",
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\nRIFF',
    ),
    "a recording to transcribe": ("/transcribe", "audio/wav", recording()[:1000]),
    "a text to speak": ("/speak", "application/json", b'{"text": "hi'),
    "an offer": ("/session", "application/sdp", b"v=0\r\n"),
    "a clip": ("/clips", "application/json", b'{"reply":'),
}
"""Where and as what it is sent, and what comes before nothing more does."""


@asynccontextmanager
async def posted(
    product: Product, path: str, content_type: str, *, length: str | None = "100000", accept: str = "*/*"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A request whose head is sent; without a *length* its body comes in chunks."""
    address = urlsplit(product.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    writer.write(
        f"POST {address.path}{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
        f"Accept: {accept}\r\n{framing}\r\n\r\n".encode()
    )
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    """The status, and the problem that the connection ends with."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)).decode().lower()
    length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
    return int(head.split(" ")[1]), json.loads(await reader.readexactly(length))


@pytest.fixture
async def impatient(product_with: ProductWith) -> Product:
    product = await product_with(body_stall_seconds=STALL_SECONDS, body_seconds=NEVER_SECONDS)
    await product.app.warm()
    product.services.openai.served.clear()
    return product


@pytest.mark.parametrize(("path", "content_type", "beginning"), STALLED.values(), ids=STALLED)
async def test_a_body_that_stops_coming_is_refused(
    impatient: Product, path: str, content_type: str, beginning: bytes
) -> None:
    """Whatever is sent, and wherever to; the connection is over."""
    async with posted(impatient, path, content_type) as (reader, writer):
        writer.write(beginning)
        stopped = monotonic()
        status, problem = await answer(reader)
        assert monotonic() - stopped >= STALL_SECONDS
        assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == b""

    assert (status, problem["code"], problem["retryable"]) == (408, "body-stalled", True)


async def test_a_body_that_trickles_is_refused(product_with: ProductWith) -> None:
    """A byte now and then does not keep it alive, nor does sending no end."""
    product = await product_with(body_stall_seconds=NEVER_SECONDS, body_seconds=BODY_SECONDS)
    async with posted(product, "/process", "application/json", length=None) as (reader, writer):
        began = monotonic()
        trickling = asyncio.create_task(trickle(writer, BODY_SECONDS / 10))
        status, problem = await answer(reader)
        trickling.cancel()
        assert monotonic() - began >= BODY_SECONDS

    assert (status, problem["code"]) == (408, "body-stalled")


async def trickle(writer: asyncio.StreamWriter, pause_seconds: float) -> None:
    """Send a chunk of one byte now and then, for ever."""
    while True:
        writer.write(b"1\r\n \r\n")
        await asyncio.sleep(pause_seconds)


async def test_an_utterance_at_the_pace_of_speech_is_heard(product_with: ProductWith) -> None:
    """Recorded and sent piece by piece, each soon after the one before; all of it takes longer than it may stall."""
    product = await product_with(body_stall_seconds=1.0)
    whole = recording(1.5)
    async with posted(product, "/transcribe", "audio/wav", length=str(len(whole))) as (reader, writer):
        for start in range(0, len(whole), 320):
            writer.write(whole[start : start + 320])
            await asyncio.sleep(0.01)
        status, document = await answer(reader)

    assert status == 200, document
    assert document["transcription"]


async def dribble(writer: asyncio.StreamWriter, rest: bytes, happened: Callable[[], object]) -> None:
    """Keep a body from stalling until *happened*, with little of the *rest* of it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for start in range(0, len(rest), 2):
            if happened():
                return
            writer.write(rest[start : start + 2])
            await asyncio.sleep(STALL_SECONDS / 50)
    raise AssertionError("The whole body was sent before that.")


@pytest.mark.parametrize("accept", ["application/json", "audio/wav"])
async def test_a_stalled_utterance_lets_go_of_recognition(impatient: Product, accept: str) -> None:
    """In the middle of the speech: the service is not kept waiting, and nobody is asked to answer."""
    whole = recording(4.0)
    async with posted(impatient, "/process", "audio/wav", length=str(len(whole)), accept=accept) as (reader, writer):
        writer.write(whole[: len(whole) // 2])
        await dribble(writer, whole[len(whole) // 2 :], lambda: latest(impatient.services.speech, "stt"))
        status, problem = await answer(reader)

    served = latest(impatient.services.speech, "stt")
    assert served is not None
    await eventually(lambda: served.ended is not None)
    assert (status, problem["code"]) == (408, "body-stalled")
    assert not impatient.services.openai.served


async def test_a_stream_that_had_begun_says_that_the_utterance_stalled(impatient: Product) -> None:
    """As its last event, after what was heard so far."""
    whole = recording(4.0)
    async with posted(impatient, "/process", "audio/wav", accept="application/x-ndjson") as (reader, writer):
        writer.write(whole[: len(whole) // 2])
        begun = asyncio.create_task(_line_with(reader, b'"turn.created"'))
        await dribble(writer, whole[len(whole) // 2 :], begun.done)
        told = json.loads(await asyncio.wait_for(_line_with(reader, b'"error"'), PATIENCE_SECONDS))

    assert (told["code"], told["retryable"]) == ("body-stalled", True)
    assert not impatient.services.openai.served


async def _line_with(reader: asyncio.StreamReader, marker: bytes) -> bytes:
    while marker not in (line := await reader.readline()):
        assert line
    return line


async def test_slow_bodies_leave_nothing_behind(impatient: Product) -> None:
    """Twenty at once are gone with all their tasks, and the next turn is taken."""
    before = tasks()

    async def stall() -> int:
        async with posted(impatient, "/process", "audio/wav") as (reader, writer):
            writer.write(recording()[:5000])
            return (await answer(reader))[0]

    assert await asyncio.gather(*(stall() for _ in range(20))) == [408] * 20
    await eventually(lambda: tasks() <= before)
    async with impatient.post("/process", data=recording()) as response:
        assert response.status == 200


def tasks() -> int:
    """How many there are, but for those of the emulators' connections, which stay open."""
    return sum("RequestHandler" not in repr(task) for task in asyncio.all_tasks())


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "ten", "9" * 23, "1" * 5000, "4, 4", "", "٣"])
async def test_a_length_that_is_none_is_refused(impatient: Product, length: str) -> None:
    """With 400, by whoever reads it first."""
    async with posted(impatient, "/process", "audio/wav", length=length) as (reader, _):
        head = await asyncio.wait_for(reader.readuntil(b"\r\n"), PATIENCE_SECONDS)

    assert head.split(b" ")[1] == b"400"
