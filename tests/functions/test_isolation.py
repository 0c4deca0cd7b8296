"""A user's resources exist for that user only: every route of the contract is requested with another user's ids."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import product as combined
from typing import Any

import pytest

from fakes.webrtc import Caller
from tests.conftest import Product, Services
from tests.functions.contract_names import Case, cases, request_names
from tests.functions.owned_resources import (
    SECRET,
    UNUSED_IDS,
    Answer,
    OwnedResource,
    User,
    answered,
    belongings,
    posted,
    user,
)
from tests.issuers import Issuer
from voice_core.domain.conversation import new_conversation_id
from voice_core.functions.openapi.document import contract


@dataclass(frozen=True)
class People:
    """Anna, and Bob, who knows all her ids."""

    anna: User
    bob: User


@dataclass(frozen=True)
class World(People):
    hers: OwnedResource
    """Anna's resources, one of each kind."""


@pytest.fixture
async def services(services: Services, issuer: Issuer) -> Services:
    """The services with an issuer of tokens."""
    return replace(services, settings=replace(services.settings, **issuer.settings))


@pytest.fixture
async def people(clip_product: Product, issuer: Issuer) -> AsyncIterator[People]:
    async with AsyncExitStack() as stack:
        anna = await stack.enter_async_context(user(clip_product, issuer, "anna"))
        yield People(anna, await stack.enter_async_context(user(clip_product, issuer, "bob")))


@pytest.fixture
async def world(people: People, clip_product: Product) -> AsyncIterator[World]:
    async with belongings(people.anna, clip_product) as hers:
        yield World(people.anna, people.bob, hers)


REQUESTS: dict[tuple[str, str], dict[str, Any]] = {
    ("patch", "/session/{sessionId}"): {
        "headers": {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"},
        "data": "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n",
    },
}
"""Headers and bodies without which a route would refuse the request before it looks at the id."""

DELETING = ("delete", "/conversations/{conversationId}")
"""It succeeds when there is nothing to delete, and so with another user's id, but then deletes nothing."""


def test_every_id_of_the_contract_is_tried() -> None:
    """A route with a new kind of id fails here until Anna has such a resource."""
    assert {name for case in cases() for name in case.ids} == set(UNUSED_IDS)
    assert len({case.path for case in cases()}) == sum("Id}" in path for path in contract()["paths"])


async def test_another_user_s_ids_are_like_unused_ids(world: World) -> None:
    """Each method is 404, with the same words and the same store operations as for an id that was never used."""
    mine = await posted(world.bob.product, "/process", {"text": "hi", "speech": "none"})
    before = await seen(world)
    for case in cases():
        request = REQUESTS.get((case.method, case.path), {})
        for theirs in mixtures(case.ids):
            unused, hers = [
                {name: owner[name] if name in theirs else mine[name] for name in case.ids} | dict(case.chosen)
                for owner in (UNUSED_IDS, world.hers.ids)
            ]
            expected = await answered(world.bob, case.method, case.path, unused, **request)
            found = await answered(world.bob, case.method, case.path, hers, **request)

            assert found == expected, (case, theirs)
            assert found.status == (204 if (case.method, case.path) == DELETING else 404), (case, theirs)
            assert SECRET not in f"{found}"
    assert await seen(world) == before


def mixtures(ids: tuple[str, ...]) -> Iterator[set[str]]:
    """The sets of ids in a path that may be Anna's: all, or some where Bob has such a resource himself."""
    for others in combined((True, False), repeat=len(ids)):
        theirs = {name for name, other in zip(ids, others, strict=True) if other}
        if theirs and set(ids) - theirs <= {"conversationId", "turnId"}:
            yield theirs


async def seen(world: World) -> dict[Case, Answer]:
    """All responses to Anna for her own resources."""
    ids = world.hers.ids
    return {
        case: await answered(world.anna, "get", case.path, {**ids, **dict(case.chosen)}, status=200)
        for case in cases()
        if case.method == "get"
    }


CONVERSATION = {"conversationId": "{conversationId}"}
TRIED_NAMES: dict[tuple[str, str, str], tuple[int, dict[str, Any]]] = {
    ("post", "/process", "conversationId"): (404, {"json": {"text": "hi", "speech": "none"} | CONVERSATION}),
    ("post", "/clips", "conversationId"): (404, {"json": CONVERSATION}),
    ("post", "/session", "conversationId"): (200, {"json": CONVERSATION}),
    ("get", "/clips/{clipId}", "If-None-Match"): (404, {"headers": {"If-None-Match": "{etag}"}}),
}
"""Requests with another user's name, and their statuses. A session accepts it as the name of Bob's conversation."""

ELSEWHERE = {"continuation", "Idempotency-Key"}
"""Names with tests of their own below."""


def test_every_name_in_a_request_is_tried() -> None:
    """A new name in the contract fails here until it is tried."""
    assert {case for case in request_names() if case[2] not in ELSEWHERE} == set(TRIED_NAMES)


async def test_names_outside_the_path_give_no_access(world: World) -> None:
    """In query, header and body, another user's name gives no access."""
    for (method, path, name), (status, request) in TRIED_NAMES.items():
        for sent in [request] if "json" not in request else [request, in_query(request, name)]:
            assert (await compared(world, method, path, sent)).status == status, (method, path, name)


def in_query(request: Mapping[str, Any], name: str) -> dict[str, Any]:
    rest = {key: value for key, value in request["json"].items() if key != name}
    return {"json": rest, "params": {name: request["json"][name]}}


async def compared(world: World, method: str, path: str, request: Mapping[str, Any]) -> Answer:
    """The response to Bob for Anna's name, which must equal the one for an unused name."""
    etag = {"etag": world.hers.etag}
    # The first request creates the document in which later ones are counted.
    await answered(world.bob, method, path, UNUSED_IDS | etag, **request)
    expected = await answered(world.bob, method, path, UNUSED_IDS | etag, **request)
    found = await answered(world.bob, method, path, {**world.hers.ids, **etag}, **request)
    assert found == expected
    return found


async def test_a_reserved_conversation_id_is_not_shared(world: World) -> None:
    """Under an id that Anna's session has reserved, Bob begins a conversation of his own; neither sees the other's."""
    openai = world.anna.product.services.openai
    for conversation in (new_conversation_id(), world.hers.reserved_conversation):
        body = {"text": "what did I say", "speech": "none", "conversationId": conversation}
        assert (await posted(world.bob.product, "/process", body))["conversationId"] == conversation
        assert SECRET not in f"{openai.served[-1].facts}"
    async with world.anna.product.get(f"/conversations/{world.hers.reserved_conversation}") as response:
        assert response.status == 404


async def test_idempotency_keys_are_per_user(people: People) -> None:
    """The same key and body from another user is another request; a different body is no conflict."""
    for path in {path for _, path, name in request_names() if name == "Idempotency-Key"}:
        first, second = await bodies(path)
        for body in (first, second):
            key = {"Idempotency-Key": f"{path}:{body is first}"}
            hers = await posted(people.anna.product, path, first, key)
            his = await posted(people.bob.product, path, body, key)
            for name in hers.keys() & {"turnId", "clipId", "sessionId", "conversationId"}:
                assert his[name] != hers[name], (path, name)


async def bodies(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two requests that differ."""
    if path == "/session":
        caller = Caller()
        offer = {"offer": {"type": "offer", "sdp": await caller.offer()}}
        await caller.close()
        return offer, offer | {"voice": "en-US-GuyNeural"}
    if path == "/clips":
        return {}, {"reply": False}
    return {"text": SECRET, "speech": "none"}, {"text": "hi", "speech": "none"}


async def test_another_user_s_continuation_gives_no_access(people: People) -> None:
    """With a continuation of Anna's list Bob sees nothing of hers, whichever list he continues with it."""
    body = {"text": SECRET, "speech": "none"}
    hers = [(await posted(people.anna.product, "/process", body))["conversationId"] for _ in range(2)]
    mine = (await posted(people.bob.product, "/process", {"text": "hi", "speech": "none"}))["conversationId"]
    async with people.anna.product.get("/conversations?limit=1") as response:
        place = {"continuation": (await response.json())["continuation"]}
    for path in {path for _, path, name in request_names() if name == "continuation"}:
        async with people.bob.product.get(path.format(conversationId=mine), params=place) as response:
            text = await response.text()
            assert response.status in (200, 400), path
        assert not any(word in text for word in (SECRET, *hers))


async def test_a_signed_url_is_valid_for_one_recording(people: People, clip_product: Product) -> None:
    """Bob's signature does not allow an upload in the place of Anna's recording."""
    his, hers = [(await posted(who.product, "/clips", {}))["upload"] for who in (people.bob, people.anna)]
    place, signature = hers["url"].partition("?")[0], his["url"].partition("?")[2]
    async with clip_product.http.put(f"{place}?{signature}", data=b"x", headers=his["headers"]) as response:
        assert response.status == 403
