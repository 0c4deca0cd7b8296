"""What is somebody's is there for nobody else: every route of the contract, asked with another user's ids."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import product as combined
from typing import Any

import pytest

from tests.conftest import Product, Services
from tests.functions.contract_names import Case, cases, given_away
from tests.functions.owned import NOBODYS, SECRET, Answer, Owned, User, answered, belongings, posted, user
from tests.issuers import Issuer
from tests.webrtc import Caller
from voice_core.domain.conversation import new_conversation_id
from voice_core.functions.openapi.document import contract


@dataclass(frozen=True)
class People:
    """Anna, and Bob, who knows all about her."""

    anna: User
    bob: User


@dataclass(frozen=True)
class World(People):
    hers: Owned
    """Anna has one of everything."""


@pytest.fixture
async def services(services: Services, issuer: Issuer) -> Services:
    """With an issuer of tokens."""
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
"""What must be sent along for the id to be looked at."""

FORGETTING = ("delete", "/conversations/{conversationId}")
"""Succeeds when there is nothing to forget, so it does with what is not yours; nothing is forgotten then."""


def test_every_id_of_the_contract_is_tried() -> None:
    """A route with an id that Anna has none of fails here until she has."""
    assert {name for case in cases() for name in case.ids} == set(NOBODYS)
    assert len({case.path for case in cases()}) == sum("Id}" in path for path in contract()["paths"])


async def test_another_user_s_ids_are_as_if_they_had_never_been(world: World) -> None:
    """404 for each method, word for word and operation for operation what an id that never was is answered."""
    mine = await posted(world.bob.product, "/process", {"text": "hi", "speech": "none"})
    before = await seen(world)
    for case in cases():
        request = REQUESTS.get((case.method, case.path), {})
        for theirs in mixtures(case.ids):
            nobodys, hers = [
                {name: owner[name] if name in theirs else mine[name] for name in case.ids} | dict(case.chosen)
                for owner in (NOBODYS, world.hers.ids)
            ]
            expected = await answered(world.bob, case.method, case.path, nobodys, **request)
            found = await answered(world.bob, case.method, case.path, hers, **request)

            assert found == expected, (case, theirs)
            assert found.status == (204 if (case.method, case.path) == FORGETTING else 404), (case, theirs)
            assert SECRET not in f"{found}"
    assert await seen(world) == before


def mixtures(ids: tuple[str, ...]) -> Iterator[set[str]]:
    """Which of the ids in a path may be another's: all, or where Bob has such a thing, some."""
    for others in combined((True, False), repeat=len(ids)):
        theirs = {name for name, other in zip(ids, others, strict=True) if other}
        if theirs and set(ids) - theirs <= {"conversationId", "turnId"}:
            yield theirs


async def seen(world: World) -> dict[Case, Answer]:
    """Everything that is Anna's, as she sees it."""
    ids = world.hers.ids
    return {
        case: await answered(world.anna, "get", case.path, {**ids, **dict(case.chosen)}, status=200)
        for case in cases()
        if case.method == "get"
    }


CONVERSATION = {"conversationId": "{conversationId}"}
TRIED: dict[tuple[str, str, str], tuple[int, dict[str, Any]]] = {
    ("post", "/process", "conversationId"): (404, {"json": {"text": "hi", "speech": "none"} | CONVERSATION}),
    ("post", "/clips", "conversationId"): (404, {"json": CONVERSATION}),
    ("post", "/session", "conversationId"): (200, {"json": CONVERSATION}),
    ("get", "/clips/{clipId}", "If-None-Match"): (404, {"headers": {"If-None-Match": "{etag}"}}),
}
"""What is sent with another's name, and the answer to it. A session only says what Bob's own would be called."""

ELSEWHERE = {"continuation", "Idempotency-Key"}
"""Names that have a test of their own below."""


def test_every_name_in_a_request_is_tried() -> None:
    """A new one fails here until it is."""
    assert {case for case in given_away() if case[2] not in ELSEWHERE} == set(TRIED)


async def test_names_beside_the_path(world: World) -> None:
    """In query, header and body another's name counts for nothing."""
    for (method, path, name), (status, request) in TRIED.items():
        for sent in [request] if "json" not in request else [request, in_query(request, name)]:
            assert (await compared(world, method, path, sent)).status == status, (method, path, name)


def in_query(request: Mapping[str, Any], name: str) -> dict[str, Any]:
    rest = {key: value for key, value in request["json"].items() if key != name}
    return {"json": rest, "params": {name: request["json"][name]}}


async def compared(world: World, method: str, path: str, request: Mapping[str, Any]) -> Answer:
    """What Bob is answered for Anna's name, which is what he is for nobody's."""
    etag = {"etag": world.hers.etag}
    # The first request of all makes the document that later ones are counted in.
    await answered(world.bob, method, path, NOBODYS | etag, **request)
    expected = await answered(world.bob, method, path, NOBODYS | etag, **request)
    found = await answered(world.bob, method, path, {**world.hers.ids, **etag}, **request)
    assert found == expected
    return found


async def test_a_name_that_was_given_out_begins_what_is_bob_s_own(world: World) -> None:
    """A name that Anna's session was promised is for Bob as any other: neither hears of the other under it."""
    openai = world.anna.product.services.openai
    for conversation in (new_conversation_id(), world.hers.given_out):
        asked = {"text": "what did I say", "speech": "none", "conversationId": conversation}
        assert (await posted(world.bob.product, "/process", asked))["conversationId"] == conversation
        assert SECRET not in f"{openai.served[-1].facts}"
    async with world.anna.product.get(f"/conversations/{world.hers.given_out}") as response:
        assert response.status == 404


async def test_another_s_idempotency_key_is_one_s_own(people: People) -> None:
    """The same key and body, of somebody else, is another request; a different body is no conflict."""
    for path in {path for _, path, name in given_away() if name == "Idempotency-Key"}:
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


async def test_another_s_place_in_a_list(people: People) -> None:
    """A continuation of Anna's list leads Bob to nothing of hers, whatever he continues with it."""
    asked = {"text": SECRET, "speech": "none"}
    hers = [(await posted(people.anna.product, "/process", asked))["conversationId"] for _ in range(2)]
    mine = (await posted(people.bob.product, "/process", {"text": "hi", "speech": "none"}))["conversationId"]
    async with people.anna.product.get("/conversations?limit=1") as response:
        place = {"continuation": (await response.json())["continuation"]}
    for path in {path for _, path, name in given_away() if name == "continuation"}:
        async with people.bob.product.get(path.format(conversationId=mine), params=place) as response:
            text = await response.text()
            assert response.status in (200, 400), path
        assert not any(word in text for word in (SECRET, *hers))


async def test_a_signed_url_is_good_for_one_recording(people: People, clip_product: Product) -> None:
    """Bob's may not put anything in the place of Anna's."""
    his, hers = [(await posted(who.product, "/clips", {}))["upload"] for who in (people.bob, people.anna)]
    place, signature = hers["url"].partition("?")[0], his["url"].partition("?")[2]
    async with clip_product.http.put(f"{place}?{signature}", data=b"x", headers=his["headers"]) as response:
        assert response.status == 403
