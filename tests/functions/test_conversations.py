"""/conversations: list, read and delete."""

from typing import Any
from uuid import uuid4

import pytest

from emulators.script import Step
from tests.conftest import Product, ProductWith
from voice_core.domain.events import ReplyDone, TurnDone
from voice_core.usecases.turn.request import TurnRequest


async def say(product: Product, text: str, conversation_id: str | None = None) -> dict[str, Any]:
    body = {"text": text, "speech": "none"} | ({"conversationId": conversation_id} if conversation_id else {})
    async with product.post("/process", json=body) as response:
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def listed(product: Product, query: str = "") -> dict[str, Any]:
    async with product.get(f"/conversations{query}") as response:
        assert response.status == 200, await response.text()
        page: dict[str, Any] = await response.json()
        return page


async def test_conversations_are_listed_latest_first(product: Product) -> None:
    """The conversation with the latest turn is first; its title is the beginning of its first turn."""
    older, newer = await say(product, "first things first"), await say(product, "second thoughts")
    await say(product, "again", older["conversationId"])

    conversations = (await listed(product))["conversations"]

    assert [item["conversationId"] for item in conversations] == [older["conversationId"], newer["conversationId"]]
    assert [item["turnCount"] for item in conversations] == [2, 1]
    assert conversations[0]["title"] == "first things first"


async def test_long_lists_come_in_pages(product: Product) -> None:
    """Every conversation is in exactly one page."""
    ids = {(await say(product, f"number {n}"))["conversationId"] for n in range(5)}

    seen, query = [], "?limit=2"
    while True:
        page = await listed(product, query)
        seen += [item["conversationId"] for item in page["conversations"]]
        if "continuation" not in page:
            break
        query = f"?limit=2&continuation={page['continuation']}"

    assert len(seen) == len(set(seen))
    assert set(seen) == ids


async def test_a_conversation_is_read_latest_turn_first(product: Product) -> None:
    """Its turns have transcripts and replies, and come in pages."""
    conversation_id = (await say(product, "one"))["conversationId"]
    for text in ("two", "three"):
        await say(product, text, conversation_id)

    async with product.get(f"/conversations/{conversation_id}?limit=2") as response:
        page = await response.json()
    async with product.get(
        f"/conversations/{conversation_id}", params={"limit": "2", "continuation": page["continuation"]}
    ) as response:
        rest = await response.json()

    assert [turn["transcription"] for turn in page["turns"] + rest["turns"]] == ["three", "two", "one"]
    assert all(turn["responseText"] and turn["createdAt"] and not turn["spoken"] for turn in page["turns"])


async def test_a_deleted_conversation_is_gone(product: Product) -> None:
    """After DELETE it can be neither listed nor read nor continued; deleting it again is no error."""
    conversation_id = (await say(product, "hello"))["conversationId"]

    for _ in range(2):
        async with product.delete(f"/conversations/{conversation_id}") as response:
            assert response.status == 204

    assert (await listed(product))["conversations"] == []
    async with product.get(f"/conversations/{conversation_id}") as response:
        assert response.status == 404
    async with product.post("/process", json={"text": "hi", "conversationId": conversation_id}) as response:
        assert response.status == 404


@pytest.mark.parametrize("begins", [True, False], ids=["first", "later"])
async def test_a_turn_in_progress_does_not_bring_a_conversation_back(product: Product, begins: bool) -> None:
    """The turn of a conversation that is deleted meanwhile is delivered and reports that it was not stored."""
    await product.app.load()
    conversation_id = uuid4().hex if begins else (await say(product, "hello"))["conversationId"]
    request = TurnRequest(
        user_id="local", turn_id="t2", conversation_id=conversation_id, begins=begins, text="A secret.", aloud=False
    )
    done = None
    async for event in product.app.take_turn(request):
        if isinstance(event, ReplyDone):
            async with product.delete(f"/conversations/{conversation_id}") as response:
                assert response.status == 204
        done = event

    assert isinstance(done, TurnDone)
    assert done.turn.degraded == ("conversation",)
    assert (await listed(product))["conversations"] == []
    async with product.get(f"/conversations/{conversation_id}") as response:
        assert response.status == 404


async def test_a_repeated_request_does_not_bring_a_conversation_back(product_with: ProductWith) -> None:
    """A request that is sent again after its conversation was deleted is answered, and nothing of it is stored."""
    product = await product_with(request_claim_seconds=0.05)
    request: dict[str, Any] = {"json": {"text": "hi", "speech": "none"}, "headers": {"Idempotency-Key": "once"}}
    async with product.post("/process", **request) as response:
        first = await response.json()
    async with product.delete(f"/conversations/{first['conversationId']}") as response:
        assert response.status == 204
    second = None
    while second is None:
        async with product.post("/process", **request) as response:
            # Until the claim of the first request has expired, it is 409.
            second = await response.json() if response.status == 200 else None

    assert second["degraded"] == ["conversation"]
    assert (await listed(product))["conversations"] == []


async def test_a_turn_is_taken_while_cosmos_db_is_down(product: Product) -> None:
    """The reply is delivered, and reports in ``degraded`` that it was not stored."""
    for operation in ("account", "database", "container", "read", "query", "batch", "create"):
        product.services.cosmos.add(operation, Step(status=503, repeat=True))

    answer = await say(product, "hello")

    assert answer["responseText"]
    assert answer["degraded"] == ["conversation"]


async def test_a_list_fails_while_cosmos_db_is_down(product: Product) -> None:
    """Listing is a retryable error with the stage conversations."""
    for operation in ("account", "database", "container", "read", "query"):
        product.services.cosmos.add(operation, Step(status=503, repeat=True))
    async with product.get("/conversations") as response:
        problem = await response.json(content_type=None)

    assert response.status in (502, 503, 504)
    assert (problem["stage"], problem["retryable"]) == ("conversations", True)
