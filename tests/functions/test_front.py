"""The product behind a front like that of the Functions host, as its clients reach it in Azure.

`test_redelivery`, `test_refusals` and `test_hangup` have more. ``FRONT=1`` runs all tests of the product this way.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from emulators.script import Step
from fakes.eventually import HANG_SECONDS, eventually
from fakes.webrtc import Caller
from local_host.front.limits import Limits
from local_host.front.server import front
from tests.conftest import HEARD, Product, reached
from tests.functions.calls import call, offer
from tests.functions.test_clips import followed, opened, upload
from tests.functions.test_hangup import latest
from tests.functions.test_idempotency import answered
from tests.functions.turns import base64, recording, sse, types

PIECE = 320
"""Bytes of 10 ms of PCM16 at 16 kHz."""


@pytest.fixture
async def behind(product: Product) -> AsyncIterator[Product]:
    """The product behind a front."""
    async with reached(product, "behind a front") as one:
        yield one


async def test_a_turn_comes_as_json(behind: Product) -> None:
    """A recording in JSON gets its transcript, reply and speech."""
    async with behind.post("/process", json={"audioData": base64(recording())}) as response:
        assert response.status == 200, await response.text()
        turn = await response.json()

    assert turn["transcription"].lower().startswith(HEARD)
    assert turn["audioData"]


async def test_a_turn_comes_as_events(behind: Product) -> None:
    """All events arrive, the last of them turn.done."""
    async with behind.post("/process", data=recording(), headers={"Accept": "text/event-stream"}) as response:
        assert types(await sse(response))[-1] == "turn.done"


async def test_events_arrive_while_they_are_produced(behind: Product) -> None:
    """The first word of a reply arrives while the assistant writes the second."""
    behind.services.openai.add("chat", Step(text="one two", tokens_per_second=0.001))
    headers = {"Accept": "text/event-stream"}
    async with behind.post("/process", json={"text": "hi", "speech": "none"}, headers=headers) as response:
        await asyncio.wait_for(response.content.readuntil(b"one"), HANG_SECONDS)
        served = latest(behind.services.openai, "chat")
        assert served is not None
        assert served.ended is None


async def test_an_utterance_is_recognised_while_it_is_sent(behind: Product) -> None:
    """Recognition begins before the client has sent the second half; the turn is complete in the end."""
    whole = recording(4.0)
    async with posting(behind, len(whole)) as (reader, writer):
        pieces = [whole[start : start + PIECE] for start in range(0, len(whole), PIECE)]
        for piece in pieces[: len(pieces) // 2]:
            writer.write(piece)
            await writer.drain()
        await eventually(lambda: latest(behind.services.speech, "stt"))
        writer.write(b"".join(pieces[len(pieces) // 2 :]))
        response = await asyncio.wait_for(reader.read(), HANG_SECONDS)

    assert response.startswith(b"HTTP/1.1 200")
    assert HEARD in response.decode().lower()


@asynccontextmanager
async def posting(product: Product, length: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which the head of a request with a recording of *length* bytes was sent."""
    address = urlsplit(product.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        f"POST {address.path}/transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/wav\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n".encode()
    )
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def test_a_retry_with_a_key_gets_the_same_turn(behind: Product) -> None:
    """The turn is taken once."""
    first = await answered(behind, data=recording())
    assert await answered(behind, data=recording()) == first | {"again": True}
    assert behind.services.paid()["chat"] == 1


async def test_a_body_over_the_host_s_limit_is_refused_by_the_host(product: Product) -> None:
    """The client gets 413 without a problem document, and the product never sees the request."""
    async with (
        front(product.url, Limits(body_bytes=100)) as url,
        product.http.post(f"{url}/process", data=bytes(101)) as response,
    ):
        assert (response.status, await response.read()) == (413, b"")


async def test_a_session_is_negotiated_as_json(behind: Product) -> None:
    """A turn is taken in it, and DELETE ends it."""
    async with call(behind) as (caller, session):
        caller.say("input_text", text="hello")
        await caller.received("turn.done")
        async with behind.delete(f"/session/{session['sessionId']}") as response:
            assert (await response.json())["reason"] == "deleted"


async def test_a_session_is_negotiated_by_whip(behind: Product) -> None:
    """The offer is answered with SDP, and the session can be ended at its Location."""
    caller = Caller()
    sdp, headers = (await offer(caller))["sdp"], {"Content-Type": "application/sdp"}
    async with behind.post("/session", data=sdp, headers=headers) as response:
        assert (response.status, response.content_type) == (201, "application/sdp")
        await caller.accept(await response.text())
        await caller.connected()
        location = response.headers["Location"].removeprefix("/api/voice")
    async with behind.delete(location) as response:
        assert response.status == 200
    await caller.close()


async def test_closing_a_session_s_stream_ends_it(behind: Product) -> None:
    """A hang-up of the client of a session's events reaches the session."""
    caller = Caller()
    headers = {"Accept": "text/event-stream"}
    async with behind.post("/session", json={"offer": await offer(caller)}, headers=headers) as response:
        await response.content.readuntil(b"\n\n")
        live = behind.app.sessions.live("local", response.headers["Location"].rpartition("/")[2])
    await eventually(lambda: live.session.closed)
    await caller.close()


async def test_a_clip_is_processed(clip_product: Product) -> None:
    """Opened without a body, uploaded, and followed by its events until it is done."""
    async with reached(clip_product, "behind a front") as behind:
        clip = await opened(behind)
        assert await upload(behind, clip, recording(1.0)) == 201
        assert (await followed(behind, clip))[-1]["status"] == "done"
