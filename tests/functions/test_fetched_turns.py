"""/conversations/{id}/turns/{id}: a turn that outlives the connection of its request."""

import json
from typing import Any

import pytest

from emulators.script import Step
from fakes.eventually import eventually
from tests.conftest import HEARD, Product, ProductWith
from tests.functions.turns import parse_sse, recording, types

WORDS = "One two three. Four five six. Seven eight nine. Ten eleven twelve."
OTHER_WORDS = "Another reply. With other words. In it."
KEY = {"Idempotency-Key": "k1"}
EVENTS = {"Accept": "text/event-stream"}
CLAIM_SECONDS = 1.0


async def disconnected(product: Product, until: str, **request: Any) -> list[dict[str, Any]]:
    """The events of a turn, each with its id, until the client leaves at the first one of the type *until*."""
    blocks = []
    async with product.post("/process", headers=KEY | EVENTS, **request) as response:
        block = ""
        async for line in response.content:
            block += line.decode()
            if line == b"\n":
                blocks.append(_with_id(block))
                block = ""
                if blocks[-1]["type"] == until:
                    break
    return blocks


def _with_id(block: str) -> dict[str, Any]:
    (event,) = parse_sse(block)
    return event | {"id": next(line for line in block.splitlines() if line.startswith("id: ")).removeprefix("id: ")}


async def fetched(product: Product, created: dict[str, Any], last_event: str = "") -> list[dict[str, Any]]:
    """The events of the turn that follow *last_event*."""
    path = f"/conversations/{created['conversationId']}/turns/{created['turnId']}"
    async with product.get(path, headers=EVENTS | {"Last-Event-ID": last_event}) as response:
        assert response.status == 200, await response.text()
        return parse_sse(await response.text())


async def state(product: Product, created: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The turn as JSON, and its Retry-After."""
    async with product.get(f"/conversations/{created['conversationId']}/turns/{created['turnId']}") as response:
        assert response.status == 200, await response.text()
        return await response.json(), response.headers.get("Retry-After")


def words(events: list[dict[str, Any]]) -> str:
    """The words of the reply that a client has after *events*."""
    reply = ""
    for event in events:
        if event["type"] == "reply.restarted":
            reply = ""
        if event["type"] == "reply.text.delta":
            reply += event["text"]
    return reply


def sentences(events: list[dict[str, Any]]) -> list[str]:
    return [event["sentence"] for event in events if "sentence" in event]


@pytest.mark.parametrize("until", ["turn.created", "reply.text.delta", "speech.audio.delta", "speech.audio.done"])
async def test_a_turn_goes_on_after_its_client_disconnects(product: Product, until: str) -> None:
    """The reply is stored complete; the client that fetches the turn gets the rest of it, and no sentence twice."""
    product.services.openai.add("chat", Step(text=WORDS, tokens_per_second=60))
    product.services.openai.add("chat", Step(text=OTHER_WORDS, repeat=True))
    before = await disconnected(product, until, json={"text": "hello"})
    rest = await fetched(product, before[0], before[-1]["id"])
    document, retry_after = await state(product, before[0])

    assert (document["state"], document["responseText"], retry_after) == ("done", WORDS, None)
    assert words([*before, *rest]) == WORDS
    assert "".join(sentences([*before, *rest])).replace(" ", "") == WORDS.replace(" ", "")
    assert types(rest)[-1] == "turn.done"
    assert product.services.paid()["chat"] == 1


@pytest.mark.parametrize("reply", ["One two. Three four.\n", "  One two. Three four.", "Look:\n```\nx = 1\n```\n"])
async def test_white_space_around_a_reply_is_a_part_of_it(product: Product, reply: str) -> None:
    """A reply is stored as it was sent, so that a client which has all of it receives nothing again."""
    product.services.openai.add("chat", Step(text=reply))
    before = await disconnected(product, "reply.text.done", json={"text": "hello"})
    rest = await fetched(product, before[0], before[-1]["id"])
    document, _ = await state(product, before[0])

    assert document["responseText"] == words(before) == words([*before, *rest])
    assert "reply.restarted" not in types(rest)


async def test_a_running_turn_is_shown_as_far_as_it_is(product: Product) -> None:
    """While it runs its state has the transcript and the reply so far, and when to look again."""
    product.services.openai.add("chat", Step(hang=True))
    before = await _heard(product)
    document, retry_after = await state(product, before)
    await product.app.keyed_turns.close()

    assert document["state"] == "running"
    assert document["transcription"].lower().startswith(HEARD)
    assert document["responseText"] == ""
    assert retry_after == "1"


async def _heard(product: Product) -> dict[str, Any]:
    """The first event of a turn whose client left after the transcript."""
    async with product.post("/process", data=recording(), headers=KEY | EVENTS) as response:
        created = b""
        async for line in response.content:
            created = created or (line if b"turn.created" in line and line.startswith(b"data") else b"")
            if b"transcript.text.done" in line:
                break
        document: dict[str, Any] = json.loads(created.removeprefix(b"data: "))
        return document


async def test_a_turn_of_a_dead_worker_is_continued_by_its_fetch(product_with: ProductWith) -> None:
    """Another worker that gets the request goes on where its journal ends: nothing is recognised twice."""
    first = await product_with(request_claim_seconds=CLAIM_SECONDS)
    first.services.openai.add("chat", Step(hang=True))
    first.services.openai.add("chat", Step(text=OTHER_WORDS, repeat=True))
    created = await _heard(first)
    await eventually(lambda: first.services.paid()["chat"] == 1)
    await first.app.keyed_turns.close()
    second = await product_with(request_claim_seconds=CLAIM_SECONDS)
    document, _ = await state(second, created)
    events = await fetched(second, created)

    assert document["state"] == "waiting"
    assert words(events) == OTHER_WORDS
    assert (second.services.paid()["stt"], second.services.paid()["chat"]) == (1, 2)
    assert (await state(second, created))[0]["state"] == "done"


async def test_unknown_turns_are_not_found(product: Product) -> None:
    """A turn that was never requested is 404, in both forms."""
    for headers in ({}, EVENTS):
        async with product.get("/conversations/c1/turns/t1", headers=headers) as response:
            assert response.status == 404
            assert (await response.json(content_type=None))["code"] == "turn-not-found"


async def test_a_deleted_conversation_has_no_journal(product: Product) -> None:
    """The turns of a deleted conversation cannot be fetched, and no request has their words any more."""
    async with product.post("/process", headers=KEY, json={"text": "hello", "speech": "none"}) as response:
        turn = await response.json()
    async with product.delete(f"/conversations/{turn['conversationId']}") as response:
        assert response.status == 204
    path = f"/conversations/{turn['conversationId']}/turns/{turn['turnId']}"
    async with product.get(path) as response:
        assert response.status == 404


async def _cut_at_first_words(product: Product) -> dict[str, Any]:
    """The first event of a typed turn whose client left at the first words of its reply."""
    async with product.post("/process", headers=KEY | EVENTS, json={"text": "hello"}) as response:
        block = ""
        first: dict[str, Any] = {}
        async for line in response.content:
            block += line.decode()
            if line == b"\n":
                (event,) = parse_sse(block)
                first, block = first or event, ""
                if event["type"] == "reply.text.delta":
                    response.close()
                    break
    return first


async def test_a_typed_turn_of_a_stopped_worker_is_continued(product_with: ProductWith) -> None:
    """A turn without a recording waits too when its worker is stopped in order, and its fetch completes it."""
    first = await product_with(request_claim_seconds=CLAIM_SECONDS)
    first.services.openai.add("chat", Step(text=WORDS, tokens_per_second=1))
    first.services.openai.add("chat", Step(text=OTHER_WORDS, repeat=True))
    created = await _cut_at_first_words(first)
    await first.app.keyed_turns.close()
    second = await product_with(request_claim_seconds=CLAIM_SECONDS)
    document, _ = await state(second, created)

    assert document["state"] == "waiting"
    assert words(await fetched(second, created)) == OTHER_WORDS


async def test_a_continuation_counts_as_a_turn(product_with: ProductWith) -> None:
    """Fetches of a turn that fails each time pay for no more replies than the limit of turns allows."""
    product = await product_with(turns_per_minute=2)
    product.services.openai.add("chat", Step(status=400, repeat=True))
    async with product.post("/process", data=recording(), headers=KEY | EVENTS) as response:
        created = parse_sse(await response.text())[0]
    path = f"/conversations/{created['conversationId']}/turns/{created['turnId']}"
    statuses = []
    for _ in range(3):
        async with product.get(path, headers=EVENTS) as response:
            statuses.append(response.status)
            await response.read()

    assert statuses == [200, 429, 429]
    assert product.services.paid()["chat"] == 2


async def test_speech_none_leaves_out_the_speech_of_a_running_turn(product: Product) -> None:
    """A fetch without speech has none while the turn runs either."""
    product.services.openai.add("chat", Step(text=WORDS, tokens_per_second=20))
    created = await _cut_at_first_words(product)
    path = f"/conversations/{created['conversationId']}/turns/{created['turnId']}?speech=none"
    async with product.get(path, headers=EVENTS) as response:
        events = parse_sse(await response.text())

    assert words(events) == WORDS
    assert not [kind for kind in types(events) if kind.startswith("speech")]


async def test_a_fetch_that_waits_for_another_worker_ends_with_an_error_event(product_with: ProductWith) -> None:
    """The turn of another worker that vanishes with its conversation ends the events in order."""
    first = await product_with()
    first.services.openai.add("chat", Step(hang=True))
    created = await _heard(first)
    second = await product_with()
    path = f"/conversations/{created['conversationId']}/turns/{created['turnId']}"
    async with second.get(path, headers=EVENTS) as response:
        await response.content.readuntil(b"transcript.text.done")
        async with second.delete(f"/conversations/{created['conversationId']}"):
            pass
        rest = (await response.content.read()).decode()

    await first.app.keyed_turns.close()
    assert rest.count("event: error") == 1
    assert "turn-not-found" in rest


async def test_a_stopped_worker_ends_the_events_of_its_turns_with_an_error(product: Product) -> None:
    """Its clients are notified that another worker can go on."""
    product.services.openai.add("chat", Step(hang=True))
    async with product.post("/process", data=recording(), headers=KEY | EVENTS) as response:
        await response.content.readuntil(b"transcript.text.done")
        await product.app.keyed_turns.close()
        rest = (await response.content.read()).decode()

    assert "event: error" in rest
    assert "idempotency-running" in rest
