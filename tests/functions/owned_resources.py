"""Resources of one user, and the responses to another user who knows all their names."""

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
"""Anna's words, which no other user may receive."""

UNUSED_IDS = {
    "conversationId": "f" * 32,
    "turnId": "e" * 32,
    "clipId": "d" * 32,
    "sessionId": "c" * 32,
}
"""Ids that were never used, in the form of real ones."""

VARYING_HEADERS = ("date", "x-request-id", "content-length", "ratelimit")
"""Headers that differ in every response."""


@dataclass(frozen=True)
class User:
    """A user with a token."""

    id: str
    product: Product
    """The product, with a client that sends the user's token."""


@dataclass(frozen=True)
class OwnedResource:
    """Ids of a user's resources, by their names in the contract."""

    ids: Mapping[str, str]
    reserved_conversation: str
    """A conversation's id that a session has, though the conversation has no turn yet."""
    etag: str
    """ETag of the clip."""


@dataclass(frozen=True)
class Answer:
    """The visible parts of a response, with ids replaced by their names in the contract."""

    status: int
    headers: Mapping[str, str]
    body: str
    operations: tuple[str, ...]
    """The operations in Cosmos DB that the response took, sorted, because some run at the same time."""


@asynccontextmanager
async def user(product: Product, issuer: Issuer, name: str) -> AsyncIterator[User]:
    async with aiohttp.ClientSession(headers=issuer.headers(name)) as http:
        yield User(user_id_of(issuer.url, name), replace(product, http=http))


@asynccontextmanager
async def belongings(owner: User, stranger_to_storage: Product) -> AsyncIterator[OwnedResource]:
    """A conversation with stored speech, a completed clip, and an open session of *owner*.

    *stranger_to_storage* uploads to Blob storage without the owner's token.
    """
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
        yield OwnedResource(ids, session["conversationId"], etag)


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
    """The response to *who* when the names in *path* and *request* are replaced by *ids*; *status* is asserted."""
    cosmos = who.product.services.cosmos
    before = len(cosmos.served)
    url = who.product.url + path.format_map(ids)
    async with who.product.http.request(method, url, **named(request, ids)) as response:
        assert status in (None, response.status), path
        text, headers = (await response.read()).decode("latin-1"), dict(response.headers)
    # An operation without a partition looks at a container; a background task may have made it.
    operations = [one for one in [*cosmos.served][before:] if one.facts["partition"]]
    assert {one.facts["partition"] for one in operations} <= {json.dumps([who.id])}
    return Answer(
        response.status,
        {name.lower(): masked(value, ids) for name, value in headers.items() if name.lower() not in VARYING_HEADERS},
        masked(without_chance(text), ids),
        tuple(sorted(f"{one.operation} {one.facts['link'].split('/docs')[0]}" for one in operations)),
    )


def named(request: Any, ids: Mapping[str, str]) -> Any:
    """*request* with names in braces replaced by *ids*."""
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
    """*text* without the members that differ in every response."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    for name in ("requestId", "turnId", "clipId", "createdAt", "timings", "upload", "links"):
        document.pop(name, None)
    return json.dumps(document)
