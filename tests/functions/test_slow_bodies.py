"""Clients on bare sockets whose body stalls, trickles or has a wrong length are refused in time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest

from fakes.eventually import HANG_SECONDS, eventually
from tests.conftest import Product, ProductWith
from tests.functions.test_hangup import latest
from tests.functions.turns import recording

pytestmark = pytest.mark.direct

STALL_SECONDS = 0.3
BODY_SECONDS = 1.0
NEVER_SECONDS = 1000.0
"""Value of a timeout that must not expire in a test."""

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
"""Path and content type of each request, and the beginning of its body, after which nothing is sent."""


@asynccontextmanager
async def posted(
    product: Product, path: str, content_type: str, *, length: str | None = "100000", accept: str = "*/*"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """The connection after a request's head was sent; without a *length* the body must be chunked."""
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
    """The status and the JSON document of the next response."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HANG_SECONDS)).decode().lower()
    length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
    return int(head.split(" ")[1]), json.loads(await reader.readexactly(length))


@pytest.fixture
async def strict_product(product_with: ProductWith) -> Product:
    product = await product_with(body_stall_seconds=STALL_SECONDS, body_seconds=NEVER_SECONDS)
    await product.app.warm()
    product.services.openai.served.clear()
    return product


@pytest.mark.parametrize(("path", "content_type", "beginning"), STALLED.values(), ids=STALLED)
async def test_a_body_that_stops_coming_is_refused(
    strict_product: Product, path: str, content_type: str, beginning: bytes
) -> None:
    """It is 408 for every kind of request, and the connection is closed."""
    async with posted(strict_product, path, content_type) as (reader, writer):
        writer.write(beginning)
        stopped = monotonic()
        status, problem = await answer(reader)
        assert monotonic() - stopped >= STALL_SECONDS
        assert await asyncio.wait_for(reader.read(), HANG_SECONDS) == b""

    assert (status, problem["code"], problem["retryable"]) == (408, "body-stalled", True)


async def test_a_body_that_trickles_is_refused(product_with: ProductWith) -> None:
    """Single bytes do not keep it alive, and a body without end is refused too."""
    product = await product_with(body_stall_seconds=NEVER_SECONDS, body_seconds=BODY_SECONDS)
    async with posted(product, "/process", "application/json", length=None) as (reader, writer):
        began = monotonic()
        trickling = asyncio.create_task(trickle(writer, BODY_SECONDS / 10))
        status, problem = await answer(reader)
        trickling.cancel()
        assert monotonic() - began >= BODY_SECONDS

    assert (status, problem["code"]) == (408, "body-stalled")


async def trickle(writer: asyncio.StreamWriter, pause_seconds: float) -> None:
    """Send chunks of one byte, *pause_seconds* apart, until cancelled."""
    while True:
        writer.write(b"1\r\n \r\n")
        await asyncio.sleep(pause_seconds)


async def test_an_utterance_at_the_pace_of_speech_is_accepted(product_with: ProductWith) -> None:
    """Its pieces follow one another soon enough, although all of it takes longer than the stall limit."""
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
    """Keep a body from stalling until *happened*, by sending the *rest* of it in very small pieces."""
    async with asyncio.timeout(HANG_SECONDS):
        for start in range(0, len(rest), 2):
            if happened():
                return
            writer.write(rest[start : start + 2])
            await asyncio.sleep(STALL_SECONDS / 50)
    raise AssertionError("The complete body was sent before that.")


@pytest.mark.parametrize("accept", ["application/json", "audio/wav"])
async def test_a_stalled_utterance_ends_the_recognition(strict_product: Product, accept: str) -> None:
    """The recognition ends in the middle of the speech, and the assistant is not called."""
    whole = recording(4.0)
    async with posted(strict_product, "/process", "audio/wav", length=str(len(whole)), accept=accept) as (
        reader,
        writer,
    ):
        writer.write(whole[: len(whole) // 2])
        await dribble(writer, whole[len(whole) // 2 :], lambda: latest(strict_product.services.speech, "stt"))
        status, problem = await answer(reader)

    served = latest(strict_product.services.speech, "stt")
    assert served is not None
    await eventually(lambda: served.ended is not None)
    assert (status, problem["code"]) == (408, "body-stalled")
    assert not strict_product.services.openai.served


async def test_a_stream_reports_a_stalled_utterance(strict_product: Product) -> None:
    """A stream that has begun ends with the error event body-stalled."""
    whole = recording(4.0)
    async with posted(strict_product, "/process", "audio/wav", accept="application/x-ndjson") as (reader, writer):
        writer.write(whole[: len(whole) // 2])
        begun = asyncio.create_task(_line_with(reader, b'"turn.created"'))
        await dribble(writer, whole[len(whole) // 2 :], begun.done)
        event = json.loads(await asyncio.wait_for(_line_with(reader, b'"error"'), HANG_SECONDS))

    assert (event["code"], event["retryable"]) == ("body-stalled", True)
    assert not strict_product.services.openai.served


async def _line_with(reader: asyncio.StreamReader, marker: bytes) -> bytes:
    while marker not in (line := await reader.readline()):
        assert line
    return line


async def test_slow_bodies_leave_nothing_behind(strict_product: Product) -> None:
    """After twenty at once all their tasks have ended, and the next turn is taken."""
    before = tasks()

    async def stall() -> int:
        async with posted(strict_product, "/process", "audio/wav") as (reader, writer):
            writer.write(recording()[:5000])
            return (await answer(reader))[0]

    assert await asyncio.gather(*(stall() for _ in range(20))) == [408] * 20
    await eventually(lambda: tasks() <= before)
    async with strict_product.post("/process", data=recording()) as response:
        assert response.status == 200


def tasks() -> int:
    """Number of tasks, without those of the emulators' connections, which stay open."""
    return sum("RequestHandler" not in repr(task) for task in asyncio.all_tasks())


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "ten", "9" * 23, "1" * 5000, "4, 4", "", "٣"])
async def test_an_invalid_length_is_refused(strict_product: Product, length: str) -> None:
    """It is 400, from the server or from us."""
    async with posted(strict_product, "/process", "audio/wav", length=length) as (reader, _):
        head = await asyncio.wait_for(reader.readuntil(b"\r\n"), HANG_SECONDS)

    assert head.split(b" ")[1] == b"400"
