"""Refusals reach clients that send the complete request before they read, with and without a front in between."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from local_host.front.limits import Limits
from local_host.front.server import front
from local_host.functions import HostSettings, fronted
from tests.conftest import Product, ProductWith, function_host, served
from tests.functions.rate_limits import TYPED, limited
from tests.functions.turns import recording
from tests.functions.writers import MEGABYTE, FullResponse, Request, Writer, refusal
from tests.issuers import Issuer
from voice_core import wiring
from voice_core.environ import SettingsError

pytestmark = pytest.mark.direct

WAV = {"Content-Type": "audio/wav"}
JSON = {"Content-Type": "application/json"}

REFUSED = {
    "a session that is not there": (Request("/session/none", "DELETE"), 404, "session-not-found"),
    "an Accept that nothing meets": (Request(headers={"Accept": "image/png"}), 406, "not-acceptable"),
    "a length that is too large": (Request("/speak", headers=JSON), 413, "body-too-large"),
    "a body that grows too large": (Request("/speak", headers=JSON, chunked=True), 413, "body-too-large"),
    "a recording that is too large": (Request(headers=WAV, size=40 * MEGABYTE), 413, "audio-too-large"),
    "the largest body of all": (Request("/clips", headers=JSON, size=101 * MEGABYTE), 413, "body-too-large"),
    "a content type that is not read": (
        Request("/session/none", "PATCH", {"Content-Type": "text/plain"}),
        415,
        "content-type-unsupported",
    ),
    "bytes that are no sound": (Request(headers=WAV, beginning=b"This is a letter."), 415, "audio-format-unknown"),
    "a WAV without a format": (
        Request(headers=WAV, beginning=recording()[:12] + recording()[36:]),
        422,
        "audio-unreadable",
    ),
    "a name that none can have": (Request("/conversations/a.b", "GET", chunked=True), 400, "request-invalid"),
}


@pytest.fixture
async def product(product_with: ProductWith) -> Product:
    """The product with a limit that admits recordings of 12 MB."""
    return await product_with(max_audio_bytes=20 * MEGABYTE)


async def everywhere(base: str, request: Request) -> list[FullResponse]:
    """The responses to *request*: on a connection that is closed, on one that stays open, and behind a front."""
    direct = [await asyncio.to_thread(refusal, base, request, closes=closes) for closes in (True, False)]
    async with front(base) as behind:
        return [*direct, await asyncio.to_thread(refusal, behind, request, closes=True)]


async def refused(base: str, request: Request, status: int, code: str) -> None:
    for answer in await everywhere(base, request):
        assert (answer.status, answer.problem["code"]) == (status, code)


@pytest.mark.parametrize(("request_", "status", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_refusal_arrives(product: Product, request_: Request, status: int, code: str) -> None:
    """The problem document arrives, whether sent before, during or after the body; the connection stays usable."""
    await refused(product.url, request_, status, code)


async def test_a_401_arrives(product_with: ProductWith, issuer: Issuer) -> None:
    """401 is sent before any of the body is read, and arrives."""
    product = await product_with(**issuer.settings)
    await refused(product.url, Request(headers=WAV), 401, "unauthenticated")


async def test_a_429_arrives(product_with: ProductWith) -> None:
    """429 is sent as soon as the body is recognised as a recording, and arrives."""
    product, _ = await limited(product_with, turns_per_minute=1, max_audio_bytes=20 * MEGABYTE)
    async with product.post("/process", json=TYPED) as response:
        assert response.status == 200
    await refused(product.url, Request(headers=WAV, beginning=recording()), 429, "limit-reached")


async def test_a_408_arrives(product_with: ProductWith) -> None:
    """A body that stalls gets 408: of the product directly, and of the front, with an empty body, behind one."""
    product = await product_with(body_stall_seconds=0.3)
    unfinished = Request(headers=WAV, size=MEGABYTE)

    def stalled(base: str) -> FullResponse:
        with Writer(base) as writer:
            writer.socket.sendall(unfinished.head("/api/voice/process", closes=False) + recording())
            return writer.read()

    direct = await asyncio.to_thread(stalled, product.url)
    assert (direct.status, direct.problem["code"]) == (408, "body-stalled")
    async with front(product.url, Limits(grace_seconds=0.3, slowest=1e9)) as behind:
        hosts_own = await asyncio.to_thread(stalled, behind)
        assert (hosts_own.status, hosts_own.body) == (408, b"")


async def test_a_configuration_error_is_reported(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 arrives even when the settings cannot be read."""

    def unset() -> wiring.App:
        raise SettingsError("SPEECH_ENDPOINT is missing")

    monkeypatch.setattr(wiring, "app", unset)
    with Writer(product.url) as writer:
        await asyncio.to_thread(writer.send, Request(headers=WAV), closes=True)
        answer = await asyncio.to_thread(writer.read)

    assert (answer.status, answer.problem["code"]) == (500, "internal-error")


async def test_a_response_that_needs_no_body_arrives(product: Product) -> None:
    """A success arrives as well if the client sends a body that the endpoint does not need."""
    for answer in await everywhere(product.url, Request("/health", "GET")):
        assert (answer.status, json.loads(answer.body)["status"]) == (200, "ok")


async def test_the_error_of_a_stream_arrives(product_with: ProductWith) -> None:
    """The error and the stream's end arrive when a recording turns out to be too long while it is still sent."""
    product = await product_with(max_audio_bytes=20 * MEGABYTE, max_audio_seconds=2)
    spoken = recording(1.5)[44:]
    headers = {"Content-Type": "audio/pcm;rate=16000", "Accept": "text/event-stream"}
    head, *pieces = Request(headers=headers, beginning=spoken).parts("/api/voice/process", closes=True)

    def exchange() -> bytes:
        with Writer(product.url) as writer:
            writer.socket.sendall(head + pieces[0])
            begun = writer.until(b"turn.created")
            for piece in pieces[1:]:
                writer.socket.sendall(piece)
            return begun + writer.until(b"0\r\n\r\n")

    response = await asyncio.to_thread(exchange)

    assert response.startswith(b"HTTP/1.1 200")
    assert b'"code":"audio-too-long"' in response


async def test_a_refusal_replaces_100_continue(product: Product) -> None:
    """A client that sends ``Expect: 100-continue`` gets the refusal instead of 100 Continue."""
    request = Request("/speak", headers=JSON | {"Expect": "100-continue"})
    with Writer(product.url) as writer:
        writer.socket.sendall(request.head("/api/voice/speak", closes=False))
        assert (await asyncio.to_thread(writer.socket.recv, 12)) == b"HTTP/1.1 413"


@pytest.fixture
async def local_host(product: Product) -> AsyncIterator[str]:
    """The product behind the local host, as ``make run`` serves it."""
    async with served(fronted(function_host(), HostSettings(origins="https://app.example"))) as url:
        yield url


HOSTS_OWN = {
    "a path that is not there": (Request("/nowhere"), 404),
    "a method that is not for this path": (Request("/api/voice/process", "GET"), 405),
    "the page": (Request("/", "GET"), 200),
    "a preflight": (
        Request(
            "/api/voice/process", "OPTIONS", {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
        ),
        204,
    ),
}


@pytest.mark.parametrize(("request_", "status"), HOSTS_OWN.values(), ids=HOSTS_OWN)
async def test_the_local_host_reads_bodies_to_their_end_too(local_host: str, request_: Request, status: int) -> None:
    """It does so for its own responses, like the front of the Functions host."""

    def exchange() -> FullResponse:
        with Writer(local_host) as writer:
            writer.send(request_, closes=True)
            return writer.read(request_.method)

    assert (await asyncio.to_thread(exchange)).status == status
