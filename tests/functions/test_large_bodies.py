"""Large bodies: counted before they are read, and limited for each user to what one recording may have."""

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from starlette.requests import Request

from fakes.eventually import eventually
from fakes.sound import silence
from tests.conftest import Product, ProductWith
from tests.functions.rate_limits import limited, turn
from tests.functions.test_slow_bodies import answer, posted
from tests.functions.turns import RATE, base64, recording
from voice_core.audio import wav
from voice_core.domain.user import THE_ONE_USER
from voice_core.functions.http.admission import Admission
from voice_core.functions.http.body import OTHER_MEMBERS_BYTES
from voice_core.functions.http.request import WAITING_BYTES, HttpRequest
from voice_core.functions.turn.input import read_turn_input
from voice_core.functions.turn.schemas import ProcessRequest
from voice_core.usecases.limits.body_shares import BodyShares

JSON, FORM = "application/json", "multipart/form-data; boundary=b"
LARGE = OTHER_MEMBERS_BYTES + 1
CHUNK = 65_536


def spoken_json(seconds: float) -> bytes:
    return json.dumps({"audioData": base64(wav.whole(silence(seconds), RATE))}).encode()


def most_bytes(product: Product) -> int:
    """The largest body that may have a recording in it."""
    return product.app.settings.max_audio_bytes * 4 // 3 + OTHER_MEMBERS_BYTES


def held(product: Product) -> int:
    return product.app.user_limits.body_shares.held_bytes(THE_ONE_USER)


@pytest.mark.direct
@pytest.mark.parametrize("content_type", [JSON, FORM])
async def test_a_large_body_is_counted_before_it_is_sent(product_with: ProductWith, content_type: str) -> None:
    """At its limit, a user is refused with the length alone: nothing of the body has been sent."""
    product, _ = await limited(product_with)
    await turn(product)
    await turn(product)
    async with posted(product, "/process", content_type, length=str(LARGE)) as (reader, _):
        status, problem = await answer(reader)

    assert (status, problem["code"]) == (429, "limit-reached")


@pytest.mark.direct
async def test_a_large_transcript_is_counted_before_it_is_sent(product_with: ProductWith) -> None:
    """/transcribe counts at the same place."""
    product, _ = await limited(product_with, transcripts_per_minute=1)
    async with product.post("/transcribe", data=recording()) as response:
        assert response.status == 200
    async with posted(product, "/transcribe", JSON, length=str(LARGE)) as (reader, _):
        status, problem = await answer(reader)

    assert (status, problem["code"]) == (429, "limit-reached")


@pytest.mark.direct
async def test_a_body_of_unknown_length_is_counted_when_it_is_large(product_with: ProductWith) -> None:
    """A chunked body is counted when more of it has arrived than a text needs."""
    product, _ = await limited(product_with)
    await turn(product)
    await turn(product)
    async with posted(product, "/process", JSON, length=None) as (reader, writer):
        writer.write(b"%x\r\n" % LARGE + b" " * LARGE + b"\r\n")
        status, problem = await answer(reader)

    assert (status, problem["code"]) == (429, "limit-reached")


async def test_a_large_request_counts_once(product_with: ProductWith) -> None:
    """It is counted with its sound, and not again when it turns out to be valid."""
    product, _ = await limited(product_with, turns_per_minute=9)
    async with product.post("/process", data=spoken_json(5), headers={"Content-Type": JSON}) as response:
        assert response.status == 422
        assert response.headers["RateLimit"].startswith('"turns";r=8;')
        assert '"audio"' in response.headers["RateLimit"]


async def test_an_invalid_large_request_counts(product_with: ProductWith) -> None:
    """Megabytes cost something even if they are no JSON."""
    product, _ = await limited(product_with)
    async with product.post("/process", data=b"[" * LARGE, headers={"Content-Type": JSON}) as response:
        assert response.status == 400
        assert response.headers["RateLimit"].startswith('"turns";r=1;')


@pytest.mark.direct
async def test_large_bodies_of_one_user_wait_for_one_another(product: Product) -> None:
    """While one body of the largest size arrives, nothing of a second one is kept; then the second one is read."""
    length = str(most_bytes(product))
    async with posted(product, "/process", JSON, length=length):
        await eventually(lambda: held(product) == most_bytes(product))
        async with posted(product, "/process", FORM, length=length) as (_, second):
            second.write(b"-" * CHUNK)
            await eventually(lambda: product.app.user_limits.body_shares.waiting(THE_ONE_USER) == 1)
            assert held(product) == most_bytes(product)
    await eventually(lambda: held(product) == 0)


async def test_a_body_without_room_is_refused_in_time(product: Product) -> None:
    """The response says to send it when the earlier ones have been read."""
    product.app.user_limits.body_shares = shares = BodyShares(wait_seconds=0.01)
    release = await shares.take(THE_ONE_USER, most_bytes(product), most_bytes(product))
    async with product.post("/process", data=spoken_json(5), headers={"Content-Type": JSON}) as response:
        problem = await response.json(content_type=None)

    assert (response.status, problem["code"], problem["retryable"]) == (429, "bodies-in-flight", True)
    assert int(response.headers["Retry-After"]) > 0
    release()
    async with product.post("/process", data=spoken_json(5), headers={"Content-Type": JSON}) as response:
        assert response.status == 422


async def test_small_bodies_need_no_room(product: Product) -> None:
    """A text is read whatever recordings of the user are on their way."""
    product.app.user_limits.body_shares = shares = BodyShares(wait_seconds=0.01)
    await shares.take(THE_ONE_USER, most_bytes(product), most_bytes(product))
    async with product.post("/process", json={"text": "hi", "speech": "none"}) as response:
        assert response.status == 200


@pytest.mark.parametrize("body", [spoken_json(5), b'{"audioData": "' + b"!" * LARGE + b'"}', b"[" * LARGE])
async def test_a_body_is_released_when_it_has_been_read(product: Product, body: bytes) -> None:
    """Whatever becomes of the request, its body no longer counts afterwards."""
    async with product.post("/process", data=body, headers={"Content-Type": JSON}) as response:
        await response.read()
    assert held(product) == 0


def incoming(body: bytes, content_type: str) -> HttpRequest:
    """A request of the one user, whose body arrives in pieces."""
    ended = asyncio.Event()
    pieces: Iterator[bytes] = (body[start : start + CHUNK] for start in range(0, len(body), CHUNK))

    async def receive() -> dict[str, Any]:
        if (piece := next(pieces, None)) is not None:
            return {"type": "http.request", "body": piece, "more_body": True}
        if not ended.is_set():
            ended.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        # The client stays connected.
        await asyncio.Event().wait()
        raise AssertionError("it never disconnects")

    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""}
    request = HttpRequest(Request(scope, receive))
    request.user_id = THE_ONE_USER
    return request


async def test_a_large_body_takes_little_more_memory_than_its_size(product: Product) -> None:
    """At most four copies exist at once, while one form is made of another; afterwards only the recording is left."""
    body = spoken_json(60)
    async with product.post("/process", data=spoken_json(5), headers={"Content-Type": JSON}) as response:
        await response.read()
    request = incoming(body, JSON)
    tracemalloc.start()
    try:
        turn_input = await read_turn_input(request, ProcessRequest, product.app, Admission(request, "turns"))
        _, peak = tracemalloc.get_traced_memory()
        # The thread that worked on the body forgets it a moment later.
        await eventually(lambda: tracemalloc.get_traced_memory()[0] < 1.1 * len(body))
    finally:
        tracemalloc.stop()
        await request.aclose()

    assert turn_input.upload is not None
    assert peak < 4.5 * len(body)


async def test_a_refused_recording_is_forgotten_at_once(product: Product) -> None:
    """Nothing refers to it after the response, so its memory does not wait for the garbage collector."""
    body = json.dumps({"audioData": "A" * 4_000_000}).encode()
    async with product.post("/process", data=spoken_json(5), headers={"Content-Type": JSON}) as response:
        await response.read()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(3):
            async with product.post("/process", data=BytesIO(body), headers={"Content-Type": JSON}) as response:
                assert response.status == 415
                await response.read()
        await eventually(lambda: tracemalloc.get_traced_memory()[0] < len(body) / 2)
    finally:
        tracemalloc.stop()
        gc.enable()


async def test_little_is_read_ahead_of_the_decoder(product: Product) -> None:
    """However long the decoder takes, and in whatever pieces the body comes, the rest of it waits in the network."""
    body = bytes(100 * CHUNK)
    request = incoming(body, "audio/wav")
    chunks = request.chunks()
    read = len(await anext(chunks))
    for _ in range(200):
        await asyncio.sleep(0)
    assert request.waiting_bytes <= WAITING_BYTES + CHUNK

    async for chunk in chunks:
        read += len(chunk)
    await request.aclose()
    assert read == len(body)


async def test_shares_are_each_user_s_own() -> None:
    """The bodies of one user delay no other; of one user's bodies the first that waits is the first to go on."""
    shares = BodyShares(wait_seconds=10)
    first = await shares.take("anna", 70, 100)
    (await shares.take("bob", 100, 100))()
    second = await shares.take("anna", 30, 100)
    assert shares.held_bytes("anna") == 100
    first()
    first()
    assert shares.held_bytes("anna") == 30
    second()
    assert shares.held_bytes("anna") == 0


async def test_a_request_that_gives_up_leaves_its_place() -> None:
    """Cancelled while it waits, or at the moment at which there is room, it holds nothing and blocks no one."""
    shares = BodyShares(wait_seconds=10)
    for at_that_moment in (False, True):
        release = await shares.take("anna", 100, 100)
        leaving = asyncio.create_task(shares.take("anna", 100, 100))
        staying = asyncio.create_task(shares.take("anna", 60, 100))
        await eventually(lambda: shares.waiting("anna") == 2)
        if at_that_moment:
            release()
        leaving.cancel()
        release()
        (await staying)()
        assert leaving.cancelled()
        assert shares.held_bytes("anna") == shares.waiting("anna") == 0
