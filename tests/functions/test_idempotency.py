"""Idempotency-Key on /process: the same turn again, whatever form it is sent and answered in."""

import asyncio
import json
from base64 import b64decode
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from emulators.script import Script, Step
from tests.conftest import HEARD, Product, ProductWith
from tests.eventually import PATIENCE_SECONDS, eventually
from tests.functions.turns import base64, parse_sse, recording, types

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
RECORDING = recording()
NEVER_SECONDS = 1000.0
"""The limit that a test is not about."""
FORM = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n' + RECORDING + b"\r\n--x--\r\n"

SENT: dict[str, dict[str, Any]] = {
    "as it is": {"data": RECORDING, "headers": {"Content-Type": "audio/wav"}},
    "in a form": {"data": FORM, "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    "in JSON": {"json": {"audioData": base64(RECORDING), "channels": 1}, "headers": {}},
}
"""One recording in three shapes; what is said at its default may as well be left out."""
ACCEPTED = ("application/json", "text/event-stream", "application/x-ndjson", "audio/wav")


async def asked(product: Product, accept: str = "application/json", **sent: Any) -> aiohttp.ClientResponse:
    """The answer to the request under the key."""
    headers = KEY | {"Accept": accept} | sent.pop("headers", {})
    response: aiohttp.ClientResponse = await product.post("/process", headers=headers, **sent)
    await response.read()
    return response


async def answered(product: Product, accept: str = "application/json", **sent: Any) -> dict[str, Any]:
    """What is told of the turn with it: its ids, and its words where the form has them."""
    response = await asked(product, accept, **sent)
    assert response.status == 200, await response.text()
    ids = {"turnId": response.headers["X-Turn-Id"], "conversationId": response.headers["X-Conversation-Id"]}
    told = _document(accept, await response.read())
    words = {name: told[name] for name in ("transcription", "responseText") if name in told}
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
    """What the conversation keeps, latest first."""
    async with product.get(f"/conversations/{conversation_id}") as response:
        kept: list[dict[str, Any]] = (await response.json())["turns"]
        return kept


@pytest.mark.parametrize("sent", SENT.values(), ids=list(SENT))
async def test_a_retry_gets_the_same_turn_in_any_form(product: Product, sent: dict[str, Any]) -> None:
    """Sent in any shape and answered in any form: the same ids and words, heard once, answered once, stored once."""
    first = await answered(product, **SENT["as it is"])
    for accept in ACCEPTED:
        again = await answered(product, accept, **sent)
        assert again == {name: first[name] for name in again} | {"again": True}, accept

    assert first["again"] is False
    assert first["transcription"].lower().startswith(HEARD)
    assert (product.services.paid()["stt"], product.services.paid()["chat"]) == (1, 1)
    assert len(await turns(product, first["conversationId"])) == 1


@pytest.mark.parametrize("accept", ACCEPTED)
async def test_any_form_can_be_asked_for_again(product: Product, accept: str) -> None:
    """The first answer may have been of any form, too."""
    first = await answered(product, accept, json={"text": "hello"})
    again = await answered(product, json={"text": "hello"})

    assert again["again"]
    assert first == {name: again[name] for name in first} | {"again": False}
    assert product.services.paid()["chat"] == 1


async def test_a_turn_told_again_is_told_whole(product: Product) -> None:
    """Transcript with its confidence and length, reply, speech of the same length, timings: as the first time."""
    told = [parse_sse(await (await asked(product, "text/event-stream", data=RECORDING)).text()) for _ in range(2)]
    first, again = (
        [_shape(event) for event in events if event["type"] not in ("transcript.text.delta", "reply.text.delta")]
        for events in told
    )

    assert [event for event in again if "audio" not in event] == [event for event in first if "audio" not in event]
    assert types(told[1])[:4] == ["turn.created", "transcript.text.done", "reply.text.delta", "reply.text.done"]
    assert _speech(told[1]) == _speech(told[0])


def _shape(event: dict[str, Any]) -> dict[str, Any]:
    """*event*, its timings by their names."""
    return event | {"timings": sorted(event.get("timings", ()))}


def _speech(events: list[dict[str, Any]]) -> bytes:
    return b"".join(b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")


async def test_what_was_answered_with_text_alone_is_not_spoken_again(product: Product) -> None:
    """speech none costs no synthesis, now as then."""
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
    """422, and nothing is paid for."""
    await answered(product, json={"text": "hello"})
    before = product.services.paid()
    response = await asked(product, **other)
    problem = await response.json(content_type=None)

    assert (response.status, problem["code"], problem["retryable"]) == (422, "idempotency-key-reused", False)
    assert product.services.paid() == before


async def test_another_recording_under_the_key_is_refused(product: Product) -> None:
    """It is known by its bytes, of which the last one differs; nothing is heard."""
    await answered(product, data=RECORDING)
    response = await asked(product, data=RECORDING[:-1] + b"\x01")

    assert (response.status, (await response.json(content_type=None))["code"]) == (422, "idempotency-key-reused")
    assert product.services.paid()["stt"] == 1


async def test_a_turn_under_way_is_not_begun_again(product_with: ProductWith) -> None:
    """409 with Retry-After while it is; then the same turn."""
    product, refused = await product_with(body_stall_seconds=NEVER_SECONDS), asyncio.Event()

    async def speaking() -> AsyncIterator[bytes]:
        yield RECORDING[: len(RECORDING) // 2]
        await refused.wait()
        yield RECORDING[len(RECORDING) // 2 :]

    first = asyncio.create_task(answered(product, data=speaking()))
    await eventually(lambda: product.services.paid()["stt"])
    response = await asked(product, data=RECORDING)
    problem = await response.json(content_type=None)
    refused.set()

    assert (response.status, problem["code"], problem["retryable"]) == (409, "idempotency-running", True)
    assert 1 <= int(response.headers["Retry-After"]) <= product.app.settings.request_claim_seconds
    told = await first
    assert await answered(product, data=RECORDING) == told | {"again": True}
    assert (product.services.paid()["stt"], product.services.paid()["chat"]) == (1, 1)


async def test_another_request_is_refused_while_the_first_is_under_way(product_with: ProductWith) -> None:
    """Whoever mixes up keys hears of it at once."""
    product = await product_with(assistant_seconds=NEVER_SECONDS)
    product.services.openai.add("chat", Step(hang=True))
    first = asyncio.create_task(answered(product, json={"text": "hello"}))
    await eventually(lambda: product.services.paid()["chat"])
    response = await asked(product, json={"text": "goodbye"})

    assert (response.status, (await response.json(content_type=None))["code"]) == (422, "idempotency-key-reused")
    assert not first.done()
    first.cancel()


async def test_an_utterance_is_heard_while_it_arrives(product: Product) -> None:
    """A key does not hold the sound back until all of it is there."""
    interim = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield RECORDING[: len(RECORDING) // 2]
        await asyncio.wait_for(interim.wait(), PATIENCE_SECONDS)
        yield RECORDING[len(RECORDING) // 2 :]

    headers = KEY | {"Accept": "text/event-stream"}
    async with product.post("/process", data=slowly(), headers=headers) as response:
        async for line in response.content:
            if b"transcript.text.delta" in line:
                interim.set()
    assert (await answered(product, data=RECORDING))["again"]


async def test_a_failed_turn_is_taken_anew(product: Product) -> None:
    """The retry is answered, and takes the place of what was kept of the failure, which is no history of it."""
    before = await answered(product, json={"text": "before"}, headers={"Idempotency-Key": "k0"})
    sent: dict[str, Any] = {"json": {"text": "hello", "conversationId": before["conversationId"]}}
    product.services.openai.add("chat", Step(drop_after=2, text="one two three four"))
    assert (await asked(product, **sent)).status == 502
    assert [turn["interrupted"] for turn in await turns(product, before["conversationId"])] == [True, False]
    told = await answered(product, **sent)

    assert told["again"] is False
    assert told["responseText"].startswith("You said: hello")
    latest, _ = await turns(product, before["conversationId"])
    assert (latest["turnId"], latest["interrupted"]) == (told["turnId"], False)
    assert latest["responseText"] == told["responseText"]
    # The system's prompt, the turn before, and what is said.
    assert product.services.openai.served[-1].facts["messages"] == 4


async def test_a_turn_that_was_hung_up_on_is_taken_anew(product: Product) -> None:
    """What had been delivered is kept, until the retry's whole turn takes its place."""
    product.services.openai.add("chat", Step(text="one two three four", tokens_per_second=0.001))
    sent: dict[str, Any] = {"json": {"text": "hello", "speech": "none"}}
    response = await product.post("/process", headers=KEY | {"Accept": "text/event-stream"}, **sent)
    conversation_id = response.headers["X-Conversation-Id"]
    await response.content.readuntil(b"one")
    response.close()
    await eventually(lambda: _done(product.services.cosmos, "delete"))
    assert [turn["interrupted"] for turn in await turns(product, conversation_id)] == [True]

    assert (await answered(product, **sent))["again"] is False
    (kept,) = await turns(product, conversation_id)
    assert kept["interrupted"] is False
    assert (await answered(product, **sent))["again"] is True


def _done(script: Script, operation: str) -> bool:
    return any(served.operation == operation and served.ended for served in script.served)


async def test_a_turn_is_taken_without_the_store_of_keys(product: Product) -> None:
    """It says what it goes without, and is stored once all the same; while it is there, it is told again."""
    await answered(product, json={"text": "before"}, headers={"Idempotency-Key": "k0"})
    product.services.cosmos.add("create", Step(status=503, repeat=True))
    response = await asked(product, json={"text": "hello"})
    again = await asked(product, json={"text": "hello"})

    assert (await response.json())["degraded"] == ["idempotency"]
    assert (again.status, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert product.services.paid()["chat"] == 2


async def test_a_key_costs_one_line_in_the_store(product: Product) -> None:
    """Without one no request is noted; with one a single document is made, and not touched again."""
    await answered(product, json={"text": "before"}, headers={"Idempotency-Key": "k0"})
    operations = []
    for headers in ({}, KEY):
        product.services.cosmos.clear()
        async with product.post("/process", json={"text": "hello"}, headers=headers) as response:
            await response.read()
        operations.append(Counter(served.operation for served in product.services.cosmos.served))

    assert operations[1] - operations[0] == {"create": 1}
    assert not operations[0] - operations[1]


async def test_a_forgotten_conversation_is_forgotten(product_with: ProductWith) -> None:
    """What was deleted is not told again: the request is a new one."""
    product = await product_with(request_claim_seconds=0.05)
    first = await answered(product, json={"text": "hello"})
    async with product.delete(f"/conversations/{first['conversationId']}"):
        await asyncio.sleep(0.05)

    assert (await answered(product, json={"text": "hello"}))["again"] is False
