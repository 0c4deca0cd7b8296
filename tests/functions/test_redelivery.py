"""Requests without a body have the effect of one, however often the Functions host delivers them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from local_host.front.server import front
from tests.conftest import Account, Product, ProductWith
from tests.functions.calls import call
from tests.functions.lost_responses import LossyWire, losing
from tests.functions.test_clips import opened
from tests.functions.test_conversations import listed, say
from tests.issuers import Issuer
from voice_core.functions.openapi.document import contract

pytestmark = pytest.mark.direct

ATTEMPTS = 10


async def at_once(_seconds: float) -> None:
    """No pause between two attempts."""


@asynccontextmanager
async def redelivered(product: Product) -> AsyncIterator[tuple[Product, LossyWire]]:
    """The *product* behind a front, and a wire that loses all responses to the first request but the last."""
    async with losing(product.url, ATTEMPTS - 1) as wire, front(wire.url, pause=at_once) as url:
        yield replace(product, url=url), wire


async def once(product: Product, method: str, path: str) -> dict[str, Any]:
    """The response to one request that was carried out as often as it was delivered."""
    async with (
        redelivered(product) as (behind, wire),
        behind.http.request(method, f"{behind.url}{path}", skip_auto_headers=["Content-Type"]) as response,
    ):
        assert response.status < 300, await response.text()
        assert wire.lost == [response.status] * (ATTEMPTS - 1)
        document: dict[str, Any] = await response.json() if response.status != 204 else {}
        return document


async def open_a_clip(product: Product) -> None:
    """One clip is opened, and the last response has its upload permission."""
    conversation_id = (await say(product, "hello"))["conversationId"]
    clip = await once(product, "POST", f"/clips?conversationId={conversation_id}")
    assert clip["upload"]
    (stored,) = await product.app.clip_work.clips.of_conversation("local", conversation_id)
    assert stored.clip_id == clip["clipId"]


async def cancel_a_clip(product: Product) -> None:
    """The clip is cancelled; no attempt fails because an earlier one has deleted it."""
    clip = await opened(product)
    await once(product, "DELETE", f"/clips/{clip['clipId']}")
    async with product.get(f"/clips/{clip['clipId']}") as response:
        assert (await response.json())["status"] == "cancelled"


async def delete_a_conversation(product: Product) -> None:
    """The conversation is deleted, and the other remains."""
    deleted_id, other_id = [(await say(product, text))["conversationId"] for text in ("one", "two")]
    await once(product, "DELETE", f"/conversations/{deleted_id}")
    assert [item["conversationId"] for item in (await listed(product))["conversations"]] == [other_id]


async def prepare_a_session(product: Product) -> None:
    """The last response prepares a session; nothing is stored."""
    assert (await once(product, "POST", "/session"))["iceServers"] is not None
    assert (await listed(product))["conversations"] == []


async def end_a_session(product: Product) -> None:
    """The session ends at the first attempt, and each further one gets the same state."""
    async with call(product) as (caller, session):
        state = await once(product, "DELETE", f"/session/{session['sessionId']}")
        assert state["reason"] == "deleted"
        assert (await caller.received("session.closed"))["reason"] == "deleted"


TRIED: dict[str, Callable[[Product], Awaitable[None]]] = {
    "post /clips": open_a_clip,
    "delete /clips/{clipId}": cancel_a_clip,
    "delete /conversations/{conversationId}": delete_a_conversation,
    "post /session": prepare_a_session,
    "delete /session/{sessionId}": end_a_session,
}
"""Operations that change something and may come without a body."""


@pytest.mark.parametrize("operation", TRIED)
async def test_ten_attempts_have_the_effect_of_one(clip_product: Product, operation: str) -> None:
    """Nine responses are lost on the way back, and the tenth arrives."""
    await TRIED[operation](clip_product)


def test_every_operation_without_a_body_is_tried() -> None:
    """An operation of the contract that changes something and may come without a body is listed here."""
    changing = {
        f"{method} {path}"
        for path, operations in contract()["paths"].items()
        for method, operation in operations.items()
        if method in ("delete", "patch", "post", "put") and not operation.get("requestBody", {}).get("required")
    }

    # A session may be prepared without a body, though the contract requires one.
    assert changing | {"post /session"} == set(TRIED)


async def test_two_requests_open_two_clips(clip_product: Product) -> None:
    """Each request of a client has an invocation id of its own, so equal requests without a key are two."""
    async with front(clip_product.url) as url:
        behind = replace(clip_product, url=url)
        clips = [await opened(behind) for _ in range(2)]

    assert clips[0]["clipId"] != clips[1]["clipId"]


async def test_an_invocation_id_is_valid_for_its_user(
    product_with: ProductWith, account: Account, issuer: Issuer
) -> None:
    """A client without a host in between that sends another's invocation id gets a clip of its own."""
    product = await product_with(
        storage_url=account.url, storage_key=account.key, storage_create=True, **issuer.settings
    )
    forged = {"x-ms-invocation-id": "11111111-2222-3333-4444-555555555555"}
    ids = []
    for user in ("anna", "anna", "ben"):
        headers = forged | {"Authorization": f"Bearer {issuer.token(user)}"}
        async with product.post("/clips", headers=headers) as response:
            assert response.status == 202, await response.text()
            ids.append((await response.json())["clipId"])

    assert ids[0] == ids[1] != ids[2]


async def test_an_invocation_id_is_no_idempotency_key(clip_product: Product) -> None:
    """A client that sends the same text as its Idempotency-Key names another request."""
    ids = []
    for header in ("x-ms-invocation-id", "Idempotency-Key"):
        async with clip_product.post("/clips", headers={header: "one"}) as response:
            ids.append((await response.json())["clipId"])

    assert ids[0] != ids[1]
