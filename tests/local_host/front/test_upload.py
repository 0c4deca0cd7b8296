"""Bodies of requests: steps, rates and sizes."""

import asyncio

import pytest

from fakes.eventually import HANG_SECONDS
from local_host.front.limits import Limits
from local_host.front.upload import Steps, UploadRate
from tests.local_host.front.sockets import Attempt, connected, fronted, hello, is_empty, request, response_to

SECOND_OF_PAUSE = 1.0


async def refuse(attempt: Attempt, *fields: bytes) -> None:
    await attempt.read_head()
    await attempt.send(b"\r\n".join([b"HTTP/1.1 413 Too Large", *fields, b"Content-Length: 7", b"", b"refused"]))


async def test_a_body_arrives_in_steps() -> None:
    """Small pieces of a client reach the worker 4,096 bytes at a time, and the rest at the end."""
    pieces: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(attempt: Attempt) -> None:
        while piece := await attempt.reader.read(65_536):
            pieces.put_nowait(piece)

    async with fronted(serve) as there, connected(there.url) as client:
        head = request("POST", "Content-Length: 6000")
        await client.send(head)
        for _ in range(50):
            await client.send(bytes(100))
        first = await asyncio.wait_for(pieces.get(), HANG_SECONDS)
        await client.send(bytes(1000))
        rest = await asyncio.wait_for(pieces.get(), HANG_SECONDS)

    assert len(first) == 4096
    assert (first + rest).partition(b"\r\n\r\n")[2] == bytes(6000)


def test_steps_are_those_of_a_write_buffer() -> None:
    """A small remainder is collected, and a large one is passed on with its step."""
    steps = Steps(10)

    assert [len(steps.add(bytes(size))) for size in (6, 4, 1, 9, 30)] == [0, 0, 10, 0, 40]
    assert steps.rest() == b""


async def test_a_response_is_not_held_back() -> None:
    """Each piece of a response reaches the client before the worker sends the next."""
    received = asyncio.Event()

    async def serve(attempt: Attempt) -> None:
        await attempt.read_head()
        await attempt.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
        await received.wait()
        await attempt.send(b"other")

    async with fronted(serve) as there, connected(there.url) as client:
        await client.send(request("GET"))
        await client.until(b"first")
        received.set()
        assert await client.response() == b"other"


@pytest.mark.parametrize("size", [1_000, 200_000, 12_000_000])
async def test_an_early_refusal_arrives(size: int) -> None:
    """It arrives at any size if the worker keeps the connection and reads on."""

    async def serve(attempt: Attempt) -> None:
        await refuse(attempt)
        await attempt.until_end()

    async with fronted(serve) as there:
        response = await response_to(there.url, request("POST", f"Content-Length: {size}"), bytes(size))

    assert response.startswith(b"HTTP/1.1 413 Too Large")
    assert response.endswith(b"refused")


@pytest.mark.parametrize("field", [b"Connection: close", b"Server: worker"], ids=["announced", "unannounced"])
async def test_an_early_refusal_that_closes_is_lost(field: bytes) -> None:
    """If the worker closes the connection while the body arrives, the client gets an empty 502 after ten attempts."""

    async def serve(attempt: Attempt) -> None:
        await refuse(attempt, field)

    async with fronted(serve) as there:
        response = await response_to(there.url, request("POST", "Content-Length: 9000000"), bytes(9_000_000))

    assert is_empty(response, 502)
    assert (len(there.attempts), len(there.pauses)) == (1, 9)


async def test_a_slow_body_is_refused() -> None:
    """Below the lowest rate the client gets an empty 408 and the connection ends; the worker sees a hang-up."""
    limits = Limits(grace_seconds=0.05, slowest=1_000_000)

    async with fronted(Attempt.until_end, limits) as there, connected(there.url) as client:
        await client.send(request("POST", "Content-Length: 9000") + bytes(5000))
        assert is_empty(await client.response(), 408)
        await asyncio.wait_for((await there.attempt()).ended.wait(), HANG_SECONDS)


@pytest.mark.parametrize(("seconds", "passes"), [(40, True), (60, False)])
def test_a_pause_counts_by_the_average(seconds: int, *, passes: bool) -> None:
    """After 10 kB, a pause of 40 s passes and one of 60 s does not: the average must be 240 bytes per second."""
    rate = UploadRate(Limits())
    rate.add(10_000, SECOND_OF_PAUSE)

    assert (rate.seconds_left >= seconds) is passes


def test_the_rate_counts_after_five_seconds() -> None:
    """A body of which nothing has arrived has five seconds."""
    assert UploadRate(Limits()).seconds_left == 5


async def test_a_large_body_is_refused() -> None:
    """A body that is announced larger than 100 MB gets an empty 413, and the worker never sees the request."""
    async with fronted(hello) as there:
        response = await response_to(there.url, request("POST", "Content-Length: 104857601"))

    assert is_empty(response, 413)
    assert there.attempts == []


async def test_a_body_that_grows_too_large_is_refused() -> None:
    """A chunked body gets an empty 413 as well, and the worker sees a hang-up."""
    async with fronted(Attempt.until_end, Limits(body_bytes=10_000)) as there, connected(there.url) as client:
        await client.send(request("POST", "Transfer-Encoding: chunked") + b"2711\r\n" + bytes(10_001) + b"\r\n")
        assert is_empty(await client.until(b"\r\n\r\n"), 413)
        await asyncio.wait_for((await there.attempt()).ended.wait(), HANG_SECONDS)
