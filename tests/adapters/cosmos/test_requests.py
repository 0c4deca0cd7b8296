"""Idempotent requests in Cosmos DB, on the emulator's real protocol."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from emulators.script import Script, Step
from tests.adapters.cosmos.concurrent_writer import DEADLINE_SECONDS, TTL_SECONDS
from tests.clock import Clock
from voice_core.adapters.cosmos import CosmosRequests, Database
from voice_core.domain.errors import Conflict, NotFound, StageFailed
from voice_core.domain.idempotency import RequestClaim, RequestName

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
REQUEST = RequestClaim(RequestName("ann", "r1"), words_digest="a" * 64, worker="w1", until=NOON)


@pytest.fixture
async def requests(voice: Database) -> AsyncIterator[CosmosRequests]:
    requests = CosmosRequests(voice, ttl_seconds=TTL_SECONDS, deadline_seconds=DEADLINE_SECONDS)
    yield requests
    await requests.close()


async def test_a_request_is_read_as_it_was_stored(requests: CosmosRequests) -> None:
    """Every field is the same as when the request was added, and it has a version."""
    added = await requests.add(REQUEST)

    assert added == REQUEST == await requests.get(REQUEST.name)
    assert added.etag


async def test_one_of_several_concurrent_requests_is_stored(requests: CosmosRequests) -> None:
    """One of several workers that add the same request succeeds, and the others get a conflict."""
    rivals = [REQUEST.changed(worker=f"w{number}") for number in range(5)]
    results = await asyncio.gather(*(requests.add(rival) for rival in rivals), return_exceptions=True)

    assert [type(each) for each in results].count(RequestClaim) == 1
    assert [type(each) for each in results].count(Conflict) == 4


async def test_users_are_separated(requests: CosmosRequests) -> None:
    """Another user's request of the same id is a different request."""
    await requests.add(REQUEST)
    with pytest.raises(NotFound):
        await requests.get(RequestName("bob", "r1"))
    await requests.add(REQUEST.changed(name=RequestName("bob", "r1")))


async def test_only_the_version_that_was_read_is_replaced(requests: CosmosRequests) -> None:
    """A worker that replaces an outdated version gets a conflict."""
    first = await requests.add(REQUEST)
    second = await requests.replace(first.changed(worker="w2", until=NOON + timedelta(seconds=15)))
    with pytest.raises(Conflict):
        await requests.replace(first.changed(worker="w3"))

    assert await requests.get(REQUEST.name) == second


async def test_only_the_version_that_was_read_is_deleted(requests: CosmosRequests) -> None:
    """Deleting an outdated version leaves the newer one, and deleting a missing request succeeds."""
    first = await requests.add(REQUEST)
    second = await requests.replace(first.changed(worker="w2"))
    await requests.delete(first)
    assert await requests.get(REQUEST.name) == second
    for _ in range(2):
        await requests.delete(second)
    with pytest.raises(NotFound) as caught:
        await requests.get(REQUEST.name)
    assert caught.value.code == "request-not-found"


async def test_a_request_expires(requests: CosmosRequests, clock: Clock) -> None:
    """A request expires `TTL_SECONDS` after its last change; then the same name can be added again."""
    await requests.add(REQUEST)
    clock.now += TTL_SECONDS
    await requests.add(REQUEST)


async def test_a_store_that_fails_is_named(requests: CosmosRequests, script: Script) -> None:
    """The stage of the error is ``requests`` for every call."""
    await requests.check()
    for operation in ("create", "read", "replace", "delete"):
        script.add(operation, Step(status=500, repeat=True))
    for call in (
        requests.add(REQUEST),
        requests.get(REQUEST.name),
        requests.replace(REQUEST.changed(etag="1")),
        requests.delete(REQUEST.changed(etag="1")),
    ):
        with pytest.raises(StageFailed) as caught:
            await call
        assert caught.value.stage == "requests"
