"""Requests whose connection to the worker fails before the response."""

import pytest

from local_host.front.limits import Limits
from local_host.front.server import front
from tests.local_host.front.sockets import (
    RESPONSE,
    Attempt,
    Serve,
    fronted,
    is_empty,
    request,
    response_to,
)

PAUSES = [0.05, 0.1, 0.2, *(0.25,) * 6]
"""1.85 s in all."""


async def close(attempt: Attempt) -> None:
    await attempt.read_head()


async def reset(attempt: Attempt) -> None:
    await attempt.read_head()
    attempt.reset()


async def garble(attempt: Attempt) -> None:
    await attempt.read_head()
    await attempt.send(b"no HTTP at all\r\n\r\n")


TIMES: list[tuple[str, Serve, int]] = [
    ("POST", reset, 10),
    ("POST", close, 10),
    ("POST", garble, 10),
    ("DELETE", reset, 10),
    ("DELETE", close, 40),
    ("GET", reset, 10),
    ("GET", close, 40),
]


@pytest.mark.parametrize(("method", "fail", "times"), TIMES)
async def test_a_request_without_a_body_is_delivered_again(method: str, fail: Serve, times: int) -> None:
    """Ten times under one invocation id, GET and DELETE after an orderly close 40 times; then comes an empty 502."""
    async with fronted(fail) as there:
        assert is_empty(await response_to(there.url, request(method)), 502)

    assert len({attempt.value("x-ms-invocation-id") for attempt in there.attempts}) == 1
    assert len({attempt.head for attempt in there.attempts}) == 1
    assert len(there.attempts) == times
    assert there.pauses == PAUSES


@pytest.mark.parametrize("fail", [reset, close])
async def test_a_request_with_a_body_is_delivered_once(fail: Serve) -> None:
    """The client gets an empty 502 after the time of ten attempts."""
    async with fronted(fail) as there:
        assert is_empty(await response_to(there.url, request("POST", "Content-Length: 3"), b"abc"), 502)

    assert len(there.attempts) == 1
    assert there.pauses == PAUSES


async def test_a_later_attempt_is_answered() -> None:
    """The client gets the response of the first attempt that succeeds, and notices nothing of the others."""

    async def serve(attempt: Attempt) -> None:
        await attempt.read_head()
        if len(there.attempts) == 3:
            await attempt.send(RESPONSE)
        else:
            attempt.reset()

    async with fronted(serve) as there:
        assert (await response_to(there.url, request("POST"))).endswith(b"hello")

    assert there.pauses == PAUSES[:2]


async def test_a_worker_that_is_not_there_is_a_502() -> None:
    """Nothing listens: the client gets an empty 502, with and without a body."""

    async def pause(_seconds: float) -> None:
        return

    async with front("http://127.0.0.1:9", Limits(), pause=pause) as url:
        assert is_empty(await response_to(url, request("GET")), 502)
        assert is_empty(await response_to(url, request("POST", "Content-Length: 3"), b"abc"), 502)
