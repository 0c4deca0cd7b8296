"""Header fields and framing."""

import asyncio

import pytest

from local_host.front.limits import Limits
from tests.local_host.front.sockets import RESPONSE, Attempt, connected, fronted, hello, is_empty, request, response_to


async def read_all(attempt: Attempt) -> None:
    """Respond once a chunked body has arrived."""
    await attempt.read_head()
    await attempt.reader.readuntil(b"0\r\n\r\n")
    await attempt.send(RESPONSE)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("GET", target="/" + "a" * 8192), 414),
        (b"GET /" + b"a" * 9000, 414),
        (request("GET", "X-Long: " + "a" * 32_768), 431),
        (b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 33_000, 431),
        (b"no HTTP at all\r\n\r\n", 400),
        (request("GET", "Host: other.example"), 400),
    ],
    ids=["a URL", "a URL without an end", "headers", "headers without an end", "nonsense", "two hosts"],
)
async def test_a_head_is_refused(sent: bytes, status: int) -> None:
    """A URL over 8 kB gets an empty 414, headers over 32 kB 431, and nonsense 400; the worker sees none of them."""
    async with fronted(hello) as there:
        assert is_empty(await response_to(there.url, sent), status)

    assert there.attempts == []


async def test_chunks_count_more_than_a_length() -> None:
    """A chunked body with a length is passed on in chunks, the length as X-Content-Length; then the connection ends."""
    both = b"POST /a HTTP/1.1\r\nHost: voice.example\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with fronted(read_all) as there:
        response = await response_to(there.url, both + b"3\r\nabc\r\n0\r\n\r\n")

    (attempt,) = there.attempts
    assert (attempt.value("x-content-length"), attempt.value("transfer-encoding")) == ("1", "chunked")
    assert b"\r\ncontent-length" not in attempt.head.lower()
    assert b"\r\nconnection: close\r\n" in response.lower()


async def test_trailers_are_dropped() -> None:
    """Those of a request do not reach the worker, nor those of a response the client."""

    async def serve(attempt: Attempt) -> None:
        await attempt.read_head()
        received.append(await attempt.reader.readuntil(b"0\r\n\r\n"))
        await attempt.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Late: 1\r\n\r\n")

    received: list[bytes] = []
    sent = request("POST", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n"
    async with fronted(serve) as there:
        response = await response_to(there.url, sent)

    assert received == [b"3\r\nabc\r\n0\r\n\r\n"]
    assert response.endswith(b"2\r\nhi\r\n0\r\n\r\n")


async def test_fields_of_a_connection_end_at_the_front() -> None:
    """Connection, the fields that it lists, and the other hop-by-hop fields are passed on in neither direction."""
    of_connection = ("X-Mine: 1", "Keep-Alive: timeout=5", "TE: trailers", "Upgrade: websocket", "X-Yours: 2")

    async def serve(attempt: Attempt) -> None:
        await attempt.read_head()
        fields = "\r\n".join(["Connection: X-Mine", *of_connection])
        await attempt.send(f"HTTP/1.1 204 No Content\r\n{fields}\r\n\r\n".encode())

    async with fronted(serve) as there:
        response = await response_to(there.url, request("GET", "Connection: x-mine", *of_connection))

    for head in (response, there.attempts[0].head):
        assert b"x-yours: 2" in head.lower()
        for name in (b"x-mine", b"keep-alive", b"te:", b"upgrade"):
            assert b"\r\n" + name not in head.lower()
    assert b"connection" not in there.attempts[0].head.lower()


async def test_the_worker_sees_its_own_address() -> None:
    """The client's host, address and scheme are in X-Forwarded-Host, -For and -Proto, whatever it sends in them."""
    forged = ("X-Forwarded-Host: a.example", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https")
    async with fronted(hello) as there:
        await response_to(there.url, request("GET", *forged))

    (attempt,) = there.attempts
    port = attempt.writer.get_extra_info("sockname")[1]
    assert attempt.value("host") == f"127.0.0.1:{port}"
    forwarded = [attempt.value(f"x-forwarded-{what}") for what in ("host", "for", "proto")]
    assert forwarded == ["voice.example", "127.0.0.1", "http"]
    assert b".example" not in attempt.head.replace(b"voice.example", b"")


async def test_each_request_has_an_invocation_id() -> None:
    """It differs between requests, and a client cannot set it."""
    async with fronted(hello) as there:
        for _ in range(2):
            await response_to(there.url, request("GET", "X-MS-Invocation-Id: mine"))

    ids = [attempt.value("x-ms-invocation-id") for attempt in there.attempts]
    assert len({*ids, "mine"}) == 3
    assert all(attempt.head.lower().count(b"x-ms-invocation-id") == 1 for attempt in there.attempts)


async def test_a_connection_serves_several_requests() -> None:
    """Also when the second is sent before the first is answered."""
    get = b"GET /a HTTP/1.1\r\nHost: voice.example\r\n\r\n"
    async with fronted(hello) as there, connected(there.url) as client:
        await client.send(get + get)
        assert (await client.until(b"hello")).startswith(b"HTTP/1.1 200")
        assert (await client.until(b"hello")).startswith(b"HTTP/1.1 200")


async def test_the_response_to_head_has_no_body() -> None:
    """Its length is passed on."""

    async def serve(attempt: Attempt) -> None:
        await attempt.read_head()
        await attempt.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")

    async with fronted(serve) as there:
        response = await response_to(there.url, request("HEAD"))

    assert b"\r\ncontent-length: 5\r\n" in response.lower()
    assert response.endswith(b"\r\n\r\n")


async def test_the_front_invites_the_body() -> None:
    """A client that sends ``Expect: 100-continue`` gets 100 Continue from the front; the worker sees no Expect."""
    async with fronted(read_all) as there, connected(there.url) as client:
        await client.send(request("POST", "Transfer-Encoding: chunked", "Expect: 100-continue"))
        assert (await client.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        await client.send(b"3\r\nabc\r\n0\r\n\r\n")
        assert (await client.response()).endswith(b"hello")

    assert b"expect" not in there.attempts[0].head.lower()


async def test_an_unread_body_does_not_become_a_request() -> None:
    """The rest of a body after a 502 is dropped, and the connection serves the next request."""

    async def serve(attempt: Attempt) -> None:
        if len(there.attempts) == 1:
            attempt.reset()
        await hello(attempt)

    async with fronted(serve, Limits()) as there, connected(there.url) as client:
        await client.send(b"POST /a HTTP/1.1\r\nHost: voice.example\r\nContent-Length: 9000000\r\n\r\n")
        sending = asyncio.ensure_future(client.send(bytes(9_000_000)))
        assert is_empty(await client.until(b"\r\n\r\n"), 502)
        await sending
        await client.send(request("GET"))
        assert (await client.response()).endswith(b"hello")
