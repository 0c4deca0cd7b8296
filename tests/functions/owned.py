"""What one user has, and what another gets who knows all its names."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from tests.conftest import Product
from tests.functions.calls import call
from tests.functions.test_clips import followed, opened, upload
from tests.functions.turns import recording
from tests.issuers import Issuer
from voice_core.domain.user import user_id_of

SECRET = "the combination is nineteen"
"""What Anna says and nobody else may hear of."""

NOBODYS = {
    "conversationId": "f" * 32,
    "turnId": "e" * 32,
    "clipId": "d" * 32,
    "sessionId": "c" * 32,
}
"""Ids that never were, in the form of those that are."""

OF_THE_MOMENT = ("date", "x-request-id", "content-length", "ratelimit")
"""Headers that no two answers share."""


@dataclass(frozen=True)
class User:
    """Somebody with a token."""

    id: str
    product: Product
    """As they meet it."""


@dataclass(frozen=True)
class Owned:
    """The names of a user's things, by the contract's names of them."""

    ids: Mapping[str, str]
    given_out: str
    """A conversation that a session was given the id of before it began."""
    etag: str
    """Of the clip."""


@dataclass(frozen=True)
class Answer:
    """What there is to see of an answer, with no name in it but the contract's."""

    status: int
    headers: Mapping[str, str]
    body: str
    asked: tuple[str, ...]
    """The operations that the answer took in Cosmos, some of them at the same time."""


@asynccontextmanager
async def user(product: Product, issuer: Issuer, name: str) -> AsyncIterator[User]:
    async with aiohttp.ClientSession(headers=issuer.headers(name)) as http:
        yield User(user_id_of(issuer.url, name), replace(product, http=http))


@asynccontextmanager
async def belongings(owner: User, stranger_to_storage: Product) -> AsyncIterator[Owned]:
    """A conversation with kept speech, a clip that is done, and an open session. Storage is shown no token."""
    product = owner.product
    async with AsyncExitStack() as stack:
        turn = await posted(product, "/process", {"text": SECRET, "speech": "url"})
        async with product.get(turn["speechUrl"].removeprefix("/api/voice")) as response:
            assert response.status == 200
        clip = await opened(product)
        assert await upload(stranger_to_storage, clip, recording(1.0)) == 201
        assert (await followed(product, clip))[-1]["status"] == "done"
        async with product.get(f"/clips/{clip['clipId']}") as response:
            etag = response.headers["ETag"]
        _, session = await stack.enter_async_context(call(product))
        ids = {name: turn[name] for name in ("conversationId", "turnId")}
        ids |= {"clipId": clip["clipId"], "sessionId": session["sessionId"]}
        yield Owned(ids, session["conversationId"], etag)


async def posted(
    product: Product, path: str, members: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    async with product.post(path, json=members, headers=headers) as response:
        document: dict[str, Any] = await response.json()
        assert response.status < 300, document
        return document


async def answered(
    who: User, method: str, path: str, ids: Mapping[str, str], *, status: int | None = None, **request: Any
) -> Answer:
    """What *who* is answered, with that *status*, when the names in *path* and *request* stand for *ids*."""
    cosmos = who.product.services.cosmos
    before = len(cosmos.served)
    url = who.product.url + path.format_map(ids)
    async with who.product.http.request(method, url, **named(request, ids)) as response:
        assert status in (None, response.status), path
        text, headers = (await response.read()).decode("latin-1"), dict(response.headers)
    # What concerns no partition is a look at a container, which may be somebody's in the background.
    asked = [one for one in [*cosmos.served][before:] if one.facts["partition"]]
    assert {one.facts["partition"] for one in asked} <= {json.dumps([who.id])}
    return Answer(
        response.status,
        {name.lower(): masked(value, ids) for name, value in headers.items() if name.lower() not in OF_THE_MOMENT},
        masked(without_chance(text), ids),
        tuple(sorted(f"{one.operation} {one.facts['link'].split('/docs')[0]}" for one in asked)),
    )


def named(request: Any, ids: Mapping[str, str]) -> Any:
    """*request* with the ids in place of their names."""
    if isinstance(request, str):
        return request.format_map(ids) if "{" in request else request
    if isinstance(request, dict):
        return {name: named(value, ids) for name, value in request.items()}
    return request


def masked(text: str, ids: Mapping[str, str]) -> str:
    for name, value in ids.items():
        text = text.replace(value, f"{{{name}}}")
    return text


def without_chance(text: str) -> str:
    """*text* without what no two answers share."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    for name in ("requestId", "turnId", "clipId", "createdAt", "timings", "upload", "links"):
        document.pop(name, None)
    return json.dumps(document)
