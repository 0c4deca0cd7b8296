"""Limits on responses of the assistant's service: no redirects, no compression, and a maximum length."""

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from emulators.serving import serving
from tests.adapters.test_azure_openai import DONE, STOPPED, assistant_at, replied
from voice_core.adapters.azure_openai.response_limit import LONGEST_RESPONSE
from voice_core.domain.errors import StageFailed, VoiceError

REPLY = f'data: {{"choices":[{{"delta":{{"content":"Ok."}}}}]}}\n\n{STOPPED}{DONE}'
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving_with(handler: Handler) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A service that responds to every request by *handler*: its base URL, and the list of its requests."""
    requests: list[web.Request] = []

    async def record(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        await request.read()
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", record)
    async with serving(app) as url:
        yield url, requests


async def failure_of(url: str) -> VoiceError:
    """The error with which a reply of the service at *url* fails."""
    assistant = assistant_at(url)
    try:
        with pytest.raises(VoiceError) as raised:
            await replied(assistant)
    finally:
        await assistant.close()
    return raised.value


def endless(status: int, block: bytes, sent: list[int]) -> Handler:
    """A handler that writes *block* repeatedly until the client disconnects; it appends the bytes written to *sent*."""

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        sent.append(0)
        while True:
            await response.write(block)
            sent[-1] += len(block)

    return respond


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure(status: int) -> None:
    """The user's input is sent once to the configured address, and not to the target of a redirect."""

    async def redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": f"{other}{request.path}"})

    async def reply(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=REPLY, content_type="text/event-stream")

    async with serving_with(reply) as (other, redirected), serving_with(redirect) as (url, requests):
        failure = await failure_of(url)

    assert (type(failure), failure.stage, failure.retryable) == (StageFailed, "assistant", True)
    assert len(requests) == 1
    assert not redirected


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("block", [b"x" * 65_536, (b":".ljust(1022) + b"\n\n") * 64], ids=["one line", "comments"])
async def test_a_response_has_a_maximum_length(status: int, block: bytes) -> None:
    """Reading an endless response stops long before the deadline, and long before it fills the memory."""
    sent: list[int] = []
    async with serving_with(endless(status, block, sent)) as (url, _):
        failure = await failure_of(url)

    assert (type(failure), failure.stage, failure.retryable) == (StageFailed, "assistant", True)
    # Bytes that were sent and not read are in the buffers of both sides.
    assert LONGEST_RESPONSE <= sum(sent) < 3 * LONGEST_RESPONSE


async def test_a_response_of_the_maximum_length_is_accepted() -> None:
    """A response of exactly the maximum length is no failure."""

    comment = f":{' ' * (LONGEST_RESPONSE - len(REPLY) - 3)}\n\n"

    async def reply(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=comment + REPLY, content_type="text/event-stream")

    async with serving_with(reply) as (url, _):
        assistant = assistant_at(url)
        assert await replied(assistant) == ["Ok."]
        await assistant.close()


@pytest.mark.parametrize("status", [200, 500])
async def test_a_compressed_response_is_a_failure(status: int) -> None:
    """A compressed response is not decompressed: none was requested, and its full length is not known in advance."""

    async def compressed(_request: web.Request) -> web.StreamResponse:
        body = gzip.compress(REPLY.encode())
        return web.Response(
            status=status, body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/event-stream"}
        )

    async with serving_with(compressed) as (url, requests):
        failure = await failure_of(url)

    assert (type(failure), failure.stage, failure.retryable) == (StageFailed, "assistant", True)
    assert [request.headers["Accept-Encoding"] for request in requests] == ["identity"]


async def test_an_incomplete_error_response_is_a_failure() -> None:
    """A response with an error status whose body is cut off is a failure."""

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=500, headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport
        request.transport.close()
        return response

    async with serving_with(cut) as (url, _):
        failure = await failure_of(url)

    assert (type(failure), failure.stage, failure.retryable) == (StageFailed, "assistant", True)
