"""What the assistant's service may do with one request: answer it, in so many bytes, and send nobody elsewhere."""

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from emulators.serving import serving
from tests.adapters.test_azure_openai import DONE, STOPPED, assistant_at, replied
from voice_core.adapters.azure_openai.response_limit import LONGEST_ANSWER
from voice_core.domain.errors import StageFailed, VoiceError

REPLY = f'data: {{"choices":[{{"delta":{{"content":"Ok."}}}}]}}\n\n{STOPPED}{DONE}'
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A service that answers everything by *answer*: its base URL, and what it was asked."""
    asked: list[web.Request] = []

    async def record(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        await request.read()
        return await answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", record)
    async with serving(app) as url:
        yield url, asked


async def failure_of(url: str) -> VoiceError:
    """How a reply of the service at *url* fails."""
    assistant = assistant_at(url)
    try:
        with pytest.raises(VoiceError) as raised:
            await replied(assistant)
    finally:
        await assistant.close()
    return raised.value


def endless(status: int, block: bytes, sent: list[int]) -> Answer:
    """Writes *block* again and again until the caller leaves; *sent* gets how many bytes that were."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        sent.append(0)
        while True:
            await response.write(block)
            sent[-1] += len(block)

    return answer


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure(status: int) -> None:
    """What somebody said goes nowhere but where the settings say, and goes there once."""

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": f"{other}{request.path}"})

    async def steal(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=REPLY, content_type="text/event-stream")

    async with answering(steal) as (other, stolen), answering(elsewhere) as (url, asked):
        failure = await failure_of(url)

    assert (type(failure), failure.stage, failure.retryable) == (StageFailed, "assistant", True)
    assert len(asked) == 1
    assert not stolen


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("block", [b"x" * 65_536, (b":".ljust(1022) + b"\n\n") * 64], ids=["one line", "comments"])
async def test_an_answer_has_a_longest(status: int, block: bytes) -> None:
    """One without an end is given up long before the deadline, and long before it fills the memory."""
    sent: list[int] = []
    async with answering(endless(status, block, sent)) as (url, _):
        failure = await failure_of(url)

    assert (type(failure), failure.stage, failure.retryable) == (StageFailed, "assistant", True)
    # What has left the server and nobody has read waits in the buffers of both sides.
    assert LONGEST_ANSWER <= sum(sent) < 3 * LONGEST_ANSWER


async def test_a_long_answer_is_one() -> None:
    """As many bytes as there may be are no failure."""

    comment = f":{' ' * (LONGEST_ANSWER - len(REPLY) - 3)}\n\n"

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=comment + REPLY, content_type="text/event-stream")

    async with answering(answer) as (url, _):
        assistant = assistant_at(url)
        assert await replied(assistant) == ["Ok."]
        await assistant.close()


@pytest.mark.parametrize("status", [200, 500])
async def test_a_packed_answer_is_not_unpacked(status: int) -> None:
    """It was asked for as it is; what it would unpack to nobody knows."""

    async def packed(_request: web.Request) -> web.StreamResponse:
        body = gzip.compress(REPLY.encode())
        return web.Response(
            status=status, body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/event-stream"}
        )

    async with answering(packed) as (url, asked):
        failure = await failure_of(url)

    assert (type(failure), failure.stage, failure.retryable) == (StageFailed, "assistant", True)
    assert [request.headers["Accept-Encoding"] for request in asked] == ["identity"]


async def test_a_refusal_that_breaks_off_is_a_failure() -> None:
    """Its status has come, and its body has not."""

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=500, headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport
        request.transport.close()
        return response

    async with answering(cut) as (url, _):
        failure = await failure_of(url)

    assert (type(failure), failure.stage, failure.retryable) == (StageFailed, "assistant", True)
