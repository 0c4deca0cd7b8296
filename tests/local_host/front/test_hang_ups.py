"""Clients and workers that hang up."""

import asyncio

import pytest

from fakes.eventually import HANG_SECONDS
from local_host.front.limits import Limits
from local_host.front.server import front
from tests.local_host.front.sockets import Attempt, Client, connected, fronted, request


async def respond_partly(attempt: Attempt) -> None:
    await attempt.read_head()
    await attempt.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
    await attempt.until_end()


MOMENTS = {
    "before the response": (Attempt.until_end, request("GET"), b""),
    "during the response": (respond_partly, request("GET"), b"first"),
    "in mid-upload": (Attempt.until_end, request("POST", "Content-Length: 90000") + bytes(5000), b""),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_hang_up_reaches_the_worker(moment: str) -> None:
    """The worker's connection ends as soon as the client has hung up; nothing is delivered again."""
    serve, sent, received = MOMENTS[moment]
    async with fronted(serve) as there, connected(there.url) as client:
        await client.send(sent)
        attempt = await there.attempt()
        if received:
            await client.until(received)
        client.hang_up()
        await asyncio.wait_for(attempt.ended.wait(), HANG_SECONDS)

    assert len(there.attempts) == 1


async def test_a_closed_sending_side_is_a_hang_up() -> None:
    """A client that ends only its sending side has hung up, too."""
    async with fronted(Attempt.until_end) as there, connected(there.url) as client:
        await client.send(request("GET"))
        attempt = await there.attempt()
        client.writer.write_eof()
        await asyncio.wait_for(attempt.ended.wait(), HANG_SECONDS)


async def test_a_hang_up_ends_the_attempts() -> None:
    """A client that hangs up between two attempts ends them."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def pause(_seconds: float) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with front("http://127.0.0.1:9", Limits(), pause=pause) as url, connected(url) as client:
        await client.send(request("GET"))
        await asyncio.wait_for(began.wait(), HANG_SECONDS)
        client.hang_up()
        await asyncio.wait_for(ended.wait(), HANG_SECONDS)


async def rest(client: Client) -> bytes:
    """The bytes that still arrive, whether the connection then ends orderly or with a reset."""
    try:
        return await client.response()
    except ConnectionError:
        return b""


@pytest.mark.parametrize("orderly", [True, False])
async def test_a_response_that_breaks_off_ends_the_connection(*, orderly: bool) -> None:
    """The part that has arrived is passed on, then the client's connection ends; nothing is delivered again."""

    async def serve(attempt: Attempt) -> None:
        await attempt.read_head()
        await attempt.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await passed.wait()
        if not orderly:
            attempt.reset()

    passed = asyncio.Event()
    async with fronted(serve) as there, connected(there.url) as client:
        await client.send(request("GET"))
        await client.until(b"first\r\n")
        passed.set()
        assert await rest(client) == b""

    assert len(there.attempts) == 1
    assert there.pauses == []


async def test_the_front_ends_with_its_connections() -> None:
    """When it is stopped, the connections of its clients and to the worker end."""
    async with fronted(respond_partly) as there, connected(there.url) as client:
        await client.send(request("GET"))
        await client.until(b"first")
        attempt = await there.attempt()
    await asyncio.wait_for(attempt.ended.wait(), HANG_SECONDS)


async def test_a_client_that_sends_nothing_is_served_nothing() -> None:
    """A connection without a request ends without a response."""
    async with fronted(respond_partly) as there, connected(there.url) as client:
        client.writer.write_eof()
        assert await client.response() == b""
        assert there.attempts == []
