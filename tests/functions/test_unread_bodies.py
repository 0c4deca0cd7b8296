"""Bodies of refused requests are read to their end and discarded, within limits of time and size."""

import asyncio
import logging
from time import monotonic

import pytest
from starlette.types import Message, Receive, Scope, Send

from fakes.eventually import HANG_SECONDS, eventually
from tests.conftest import Product, ProductWith, function_host, served
from tests.functions.test_slow_bodies import NEVER_SECONDS, answer, posted, tasks, trickle
from tests.functions.writers import Request, Writer
from voice_core.functions.http.request import MOST_DISCARDED, SLOWEST_DISCARDED

pytestmark = pytest.mark.direct

GRACE_SECONDS = 1
REFUSED = {"content_type": "audio/wav", "accept": "image/png"}
"""A request that is refused with 406 by its head alone."""


@pytest.fixture
async def strict_product(product_with: ProductWith) -> Product:
    """The product with a short time limit for a discarded body, however steadily it arrives."""
    return await product_with(body_stall_seconds=NEVER_SECONDS, max_audio_seconds=GRACE_SECONDS)


async def test_a_stalled_refused_body_closes_the_connection(
    product_with: ProductWith, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It closes after the response and the stall limit, without an error in the log, and leaves no task behind."""
    product = await product_with(body_stall_seconds=0.3)
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "handlers", [caplog.handler])
    before = tasks()
    async with posted(product, "/process", **REFUSED) as (reader, _):
        status, problem = await answer(reader)
        assert (status, problem["code"]) == (406, "not-acceptable")
        assert await asyncio.wait_for(reader.read(), HANG_SECONDS) == b""

    await eventually(lambda: tasks() <= before)
    assert "uvicorn.error" not in [record.name for record in caplog.records]


async def test_a_trickling_refused_body_closes_the_connection(strict_product: Product) -> None:
    """Single bytes do not keep it open; the time that a spoken utterance may take is allowed."""
    began = monotonic()
    async with posted(strict_product, "/process", length=None, **REFUSED) as (reader, writer):
        await answer(reader)
        trickling = asyncio.create_task(trickle(writer, GRACE_SECONDS / 20))
        assert await asyncio.wait_for(reader.read(), HANG_SECONDS) == b""
        trickling.cancel()

    assert monotonic() - began >= GRACE_SECONDS


async def test_a_large_body_has_more_time(strict_product: Product) -> None:
    """Each byte that arrives extends the limit, so a large body on a slow line is read to its end."""
    large = bytes(round(HANG_SECONDS * SLOWEST_DISCARDED))
    async with posted(strict_product, "/process", length=str(len(large) + 1), **REFUSED) as (reader, writer):
        writer.write(large)
        await answer(reader)
        await asyncio.sleep(GRACE_SECONDS * 1.5)
        writer.write(b" GET /api/voice/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, document = await answer(reader)

    assert (status, document["status"]) == (200, "ok")


async def test_an_endless_body_is_not_read_for_ever(product: Product) -> None:
    """However fast it arrives, the connection closes after ``MOST_DISCARDED`` bytes."""
    request = Request(size=2 * MOST_DISCARDED, headers={"Accept": "image/png"})
    sent = 0

    def send() -> None:
        nonlocal sent
        with Writer(product.url) as writer:
            writer.socket.sendall(request.head("/api/voice/process", closes=False))
            for piece in request.body():
                writer.socket.sendall(piece)
                sent += len(piece)

    with pytest.raises(ConnectionError):
        await asyncio.to_thread(send)

    assert sent >= MOST_DISCARDED


async def test_a_disconnect_ends_the_reading(product: Product) -> None:
    """A refused client that disconnects in the middle of its body leaves no task behind."""
    before = tasks()
    async with posted(product, "/process", **REFUSED) as (reader, writer):
        writer.write(bytes(5000))
        assert (await answer(reader))[0] == 406

    await eventually(lambda: tasks() <= before)


async def test_a_response_to_no_body_waits_for_nothing(product: Product) -> None:
    """A response to a request without a body is complete with its first body message."""
    pieces: list[Message] = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def watch(message: Message) -> None:
            pieces.append(message)
            await send(message)

        await function_host()(scope, receive, watch)

    async with served(watched) as url, product.http.get(f"{url}/api/voice/health") as response:
        assert response.status == 200

    assert [piece.get("more_body", False) for piece in pieces] == [False, False]
