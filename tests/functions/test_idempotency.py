"""Idempotency-Key on /process: a retry gets the same turn, in whatever form it is sent and returned."""

import asyncio
import json
from base64 import b64decode
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from emulators.script import Script, Step
from fakes.eventually import HANG_SECONDS, eventually
from tests.conftest import HEARD, Product, ProductWith
from tests.functions.turns import base64, parse_sse, recording, types

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
RECORDING = recording()
NEVER_SECONDS = 1000.0
"""Value of a timeout that must not expire in a test."""
FORM = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n' + RECORDING + b"\r\n--x--\r\n"

SENT: dict[str, dict[str, Any]] = {
    "as it is": {"data": RECORDING, "headers": {"Content-Type": "audio/wav"}},
    "in a form": {"data": FORM, "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    "in JSON": {"json": {"audioData": base64(RECORDING), "channels": 1}, "headers": {}},
}
"""One recording in three shapes; the one in JSON states an option at its default, which changes nothing."""
ACCEPTED = ("application/json", "text/event-stream", "application/x-ndjson", "audio/wav")


async def post_with_key(product: Product, accept: str = "application/json", **sent: Any) -> aiohttp.ClientResponse:
    """The response to a request with the key `KEY`, read to its end."""
    headers = KEY | {"Accept": accept} | sent.pop("headers", {})
    response: aiohttp.ClientResponse = await product.post("/process", headers=headers, **sent)
    await response.read()
    return response


async def answered(product: Product, accept: str = "application/json", **sent: Any) -> dict[str, Any]:
    """The turn in the response: its ids, its words where the form has them, and whether it is a replay (*again*)."""
    response = await post_with_key(product, accept, **sent)
    assert response.status == 200, await response.text()
    ids = {"turnId": response.headers["X-Turn-Id"], "conversationId": response.headers["X-Conversation-Id"]}
    document = _document(accept, await response.read())
    words = {name: document[name] for name in ("transcription", "responseText") if name in document}
    return ids | words | {"again": response.headers.get("Idempotency-Replayed") == "true"}


def _document(accept: str, body: bytes) -> dict[str, Any]:
    if accept.startswith("audio/"):
        assert len(body) > 1000
        return {}
    if accept == "application/json":
        document: dict[str, Any] = json.loads(body)
        return document
    if accept == "text/event-stream":
        return parse_sse(body.decode())[-1]
    last: dict[str, Any] = json.loads(body.splitlines()[-1])
    return last


async def turns(product: Product, conversation_id: str) -> list[dict[str, Any]]:
    """The stored turns of the conversation, latest first."""
    async with product.get(f"/conversations/{conversation_id}") as response:
        stored: list[dict[str, Any]] = (await response.json())["turns"]
        return stored


@pytest.mark.parametrize("sent", SENT.values(), ids=list(SENT))
async def test_a_retry_gets_the_same_turn_in_any_form(product: Product, sent: dict[str, Any]) -> None:
    """In any shape and any form it has the same ids and words; it is transcribed, replied to and stored once."""
    first = await answered(product, **SENT["as it is"])
    for accept in ACCEPTED:
        again = await answered(product, accept, **sent)
        assert again == {name: first[name] for name in again} | {"again": True}, accept

    assert first["again"] is False
    assert first["transcription"].lower().startswith(HEARD)
    assert (product.services.paid()["stt"], product.services.paid()["chat"]) == (1, 1)
    assert len(await turns(product, first["conversationId"])) == 1


@pytest.mark.parametrize("accept", ACCEPTED)
async def test_a_turn_of_any_form_can_be_replayed(product: Product, accept: str) -> None:
    """The first response may have been of any form, too."""
    first = await answered(product, accept, json={"text": "hello"})
    again = await answered(product, json={"text": "hello"})

    assert again["again"]
    assert first == {name: again[name] for name in first} | {"again": False}
    assert product.services.paid()["chat"] == 1


async def test_a_replay_is_complete(product: Product) -> None:
    """Transcript with confidence and length, reply, speech of the same length and timings are as the first time."""
    streams = [
        parse_sse(await (await post_with_key(product, "text/event-stream", data=RECORDING)).text()) for _ in range(2)
    ]
    first, again = (
        [_shape(event) for event in events if event["type"] not in ("transcript.text.delta", "reply.text.delta")]
        for events in streams
    )

    assert [event for event in again if "audio" not in event] == [event for event in first if "audio" not in event]
    assert types(streams[1])[:4] == ["turn.created", "transcript.text.done", "reply.text.delta", "reply.text.done"]
    assert _speech(streams[1]) == _speech(streams[0])


def _shape(event: dict[str, Any]) -> dict[str, Any]:
    """*event* with the names of its timings instead of their values."""
    return event | {"timings": sorted(event.get("timings", ()))}


def _speech(events: list[dict[str, Any]]) -> bytes:
    return b"".join(b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")


async def test_a_replay_without_speech_costs_no_synthesis(product: Product) -> None:
    """With ``speech: none`` neither the turn nor its replay is synthesised."""
    for _ in range(2):
        await answered(product, json={"text": "hello", "speech": "none"})

    assert product.services.paid() == {"chat": 1}


@pytest.mark.parametrize(
    "other",
    [
        {"json": {"text": "goodbye"}},
        {"json": {"text": "hello", "voice": "en-GB-SoniaNeural"}},
        {"json": {"text": "hello", "conversationId": "another"}},
        {"data": RECORDING},
    ],
    ids=["words", "option", "conversation", "recording"],
)
async def test_another_request_under_the_key_is_refused(product: Product, other: dict[str, Any]) -> None:
    """It is 422, and nothing is paid for."""
    await answered(product, json={"text": "hello"})
    before = product.services.paid()
    response = await post_with_key(product, **other)
    problem = await response.json(content_type=None)

    assert (response.status, problem["code"], problem["retryable"]) == (422, "idempotency-key-reused", False)
    assert product.services.paid() == before


async def test_another_recording_under_the_key_is_refused(product: Product) -> None:
    """A recording that differs in its last byte is another request; it is not transcribed."""
    await answered(product, data=RECORDING)
    response = await post_with_key(product, data=RECORDING[:-1] + b"\x01")

    assert (response.status, (await response.json(content_type=None))["code"]) == (422, "idempotency-key-reused")
    assert product.services.paid()["stt"] == 1


async def test_a_turn_in_progress_is_not_started_again(product_with: ProductWith) -> None:
    """A retry is 409 with Retry-After while the turn is in progress; afterwards it gets the same turn."""
    product, refused = await product_with(body_stall_seconds=NEVER_SECONDS), asyncio.Event()

    async def speaking() -> AsyncIterator[bytes]:
        yield RECORDING[: len(RECORDING) // 2]
        await refused.wait()
        yield RECORDING[len(RECORDING) // 2 :]

    first = asyncio.create_task(answered(product, data=speaking()))
    await eventually(lambda: product.services.paid()["stt"])
    response = await post_with_key(product, data=RECORDING)
    problem = await response.json(content_type=None)
    refused.set()

    assert (response.status, problem["code"], problem["retryable"]) == (409, "idempotency-running", True)
    assert 1 <= int(response.headers["Retry-After"]) <= product.app.settings.request_claim_seconds
    turn = await first
    assert await answered(product, data=RECORDING) == turn | {"again": True}
    assert (product.services.paid()["stt"], product.services.paid()["chat"]) == (1, 1)


async def test_another_request_is_refused_during_the_first(product_with: ProductWith) -> None:
    """A client that reuses a key gets 422 at once, not after the first request."""
    product = await product_with(assistant_seconds=NEVER_SECONDS)
    product.services.openai.add("chat", Step(hang=True))
    first = asyncio.create_task(answered(product, json={"text": "hello"}))
    await eventually(lambda: product.services.paid()["chat"])
    response = await post_with_key(product, json={"text": "goodbye"})

    assert (response.status, (await response.json(content_type=None))["code"]) == (422, "idempotency-key-reused")
    assert not first.done()
    first.cancel()


@pytest.mark.direct
async def test_an_utterance_is_transcribed_while_it_arrives(product: Product) -> None:
    """A key does not delay recognition until the recording is complete."""
    interim = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield RECORDING[: len(RECORDING) // 2]
        await asyncio.wait_for(interim.wait(), HANG_SECONDS)
        yield RECORDING[len(RECORDING) // 2 :]

    headers = KEY | {"Accept": "text/event-stream"}
    async with product.post("/process", data=slowly(), headers=headers) as response:
        async for line in response.content:
            if b"transcript.text.delta" in line:
                interim.set()
    assert (await answered(product, data=RECORDING))["again"]


async def test_a_failed_turn_is_taken_anew(product: Product) -> None:
    """The retry's turn replaces the stored, interrupted one, which is not part of the retry's history."""
    before = await answered(product, json={"text": "before"}, headers={"Idempotency-Key": "k0"})
    sent: dict[str, Any] = {"json": {"text": "hello", "conversationId": before["conversationId"]}}
    product.services.openai.add("chat", Step(drop_after=2, text="one two three four"))
    assert (await post_with_key(product, **sent)).status == 502
    assert [turn["interrupted"] for turn in await turns(product, before["conversationId"])] == [True, False]
    retried = await answered(product, **sent)

    assert retried["again"] is False
    assert retried["responseText"].startswith("Hello!")
    latest, _ = await turns(product, before["conversationId"])
    assert (latest["turnId"], latest["interrupted"]) == (retried["turnId"], False)
    assert latest["responseText"] == retried["responseText"]
    # The system prompt, the two messages of the turn before, and the new one.
    assert product.services.openai.served[-1].facts["messages"] == 4


async def test_a_turn_after_a_disconnect_is_taken_anew(product: Product) -> None:
    """The delivered part is stored, until the retry's complete turn replaces it."""
    product.services.openai.add("chat", Step(text="one two three four", tokens_per_second=0.001))
    sent: dict[str, Any] = {"json": {"text": "hello", "speech": "none"}}
    response = await product.post("/process", headers=KEY | {"Accept": "text/event-stream"}, **sent)
    conversation_id = response.headers["X-Conversation-Id"]
    await response.content.readuntil(b"one")
    response.close()
    await eventually(lambda: _done(product.services.cosmos, "delete"))
    assert [turn["interrupted"] for turn in await turns(product, conversation_id)] == [True]

    assert (await answered(product, **sent))["again"] is False
    (stored,) = await turns(product, conversation_id)
    assert stored["interrupted"] is False
    assert (await answered(product, **sent))["again"] is True


def _done(script: Script, operation: str) -> bool:
    return any(served.operation == operation and served.ended for served in script.served)


async def test_a_turn_is_taken_without_the_store_of_keys(product: Product) -> None:
    """``degraded`` names idempotency, the turn is still stored once, and a retry replays the stored turn."""
    await answered(product, json={"text": "before"}, headers={"Idempotency-Key": "k0"})
    product.services.cosmos.add("create", Step(status=503, repeat=True))
    response = await post_with_key(product, json={"text": "hello"})
    again = await post_with_key(product, json={"text": "hello"})

    assert (await response.json())["degraded"] == ["idempotency"]
    assert (again.status, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert product.services.paid()["chat"] == 2


@pytest.mark.parametrize(("body", "writes"), [({"json": {"text": "hello"}}, 1), ({"data": RECORDING}, 2)])
async def test_a_key_costs_one_document_in_the_store(product: Product, body: dict[str, Any], writes: int) -> None:
    """Without a key no request is stored; with one a document is created, and each result is written to it once."""
    await answered(product, json={"text": "before"}, headers={"Idempotency-Key": "k0"})
    operations = []
    for headers in ({}, KEY):
        product.services.cosmos.clear()
        async with product.post("/process", headers=headers, **body) as response:
            await response.read()
        operations.append(Counter(served.operation for served in product.services.cosmos.served))

    added = {name: operations[1][name] - operations[0][name] for name in ("create", "replace", "delete", "read")}
    assert added == {"create": 1, "replace": writes, "delete": 0, "read": 0}


async def test_a_deleted_turn_is_not_replayed(product_with: ProductWith) -> None:
    """After its conversation is deleted, the same request is a new one."""
    product = await product_with(request_claim_seconds=0.05)
    first = await answered(product, json={"text": "hello"})
    async with product.delete(f"/conversations/{first['conversationId']}"):
        await asyncio.sleep(0.05)

    assert (await answered(product, json={"text": "hello"}))["again"] is False


async def test_another_recording_does_not_keep_a_failed_turn_from_its_retry(product: Product) -> None:
    """A request that is refused under the key of a failed turn releases it at once."""
    key = {"Idempotency-Key": "k1"}
    product.services.openai.add("chat", Step(status=400))
    statuses = []
    for seconds in (1.0, 2.0, 1.0):
        async with product.post("/process", data=recording(seconds), headers=key) as response:
            statuses.append(response.status)

    assert statuses == [502, 422, 200]


async def test_a_turn_that_fails_while_its_transcript_is_written_keeps_it(product: Product) -> None:
    """The retry recognises nothing again, however slow the store is."""
    key = {"Idempotency-Key": "k1"}
    product.services.cosmos.add("replace", Step(connect_seconds=0.3))
    product.services.openai.add("chat", Step(status=400))
    statuses = []
    for _ in range(2):
        async with product.post("/process", data=recording(), headers=key) as response:
            statuses.append(response.status)

    assert statuses == [502, 200]
    assert product.services.paid()["stt"] == 1
