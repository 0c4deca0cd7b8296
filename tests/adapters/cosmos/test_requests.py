"""Requests that may be sent again in Cosmos DB, on the emulator's real protocol."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from emulators.script import Script, Step
from tests.adapters.cosmos.writing import DEADLINE_SECONDS, TTL_SECONDS
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


async def test_a_request_comes_back_as_it_was(requests: CosmosRequests) -> None:
    """Every field, and a version that names it."""
    added = await requests.add(REQUEST)

    assert added == REQUEST == await requests.get(REQUEST.name)
    assert added.etag


async def test_of_many_at_once_one_is_kept(requests: CosmosRequests) -> None:
    """The others hear that there is one."""
    rivals = [REQUEST.changed(worker=f"w{number}") for number in range(5)]
    done = await asyncio.gather(*(requests.add(rival) for rival in rivals), return_exceptions=True)

    assert [type(each) for each in done].count(RequestClaim) == 1
    assert [type(each) for each in done].count(Conflict) == 4


async def test_users_do_not_meet(requests: CosmosRequests) -> None:
    """Another user's request of the same id is another one."""
    await requests.add(REQUEST)
    with pytest.raises(NotFound):
        await requests.get(RequestName("bob", "r1"))
    await requests.add(REQUEST.changed(name=RequestName("bob", "r1")))


async def test_only_the_version_that_was_read_is_replaced(requests: CosmosRequests) -> None:
    """Whoever is late finds that somebody else is at it."""
    first = await requests.add(REQUEST)
    second = await requests.replace(first.changed(worker="w2", until=NOON + timedelta(seconds=15)))
    with pytest.raises(Conflict):
        await requests.replace(first.changed(worker="w3"))

    assert await requests.get(REQUEST.name) == second


async def test_only_the_version_that_was_read_is_deleted(requests: CosmosRequests) -> None:
    """Another stays, and to delete what is gone succeeds."""
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
    """Its time after it was last heard of, it is as if it had never been."""
    await requests.add(REQUEST)
    clock.now += TTL_SECONDS
    await requests.add(REQUEST)


async def test_a_store_that_is_away_is_named(requests: CosmosRequests, script: Script) -> None:
    """What fails is the stage ``requests``."""
    await requests.check()
    for operation in ("create", "read", "replace", "delete"):
        script.add(operation, Step(status=500, repeat=True))
    for asked in (
        requests.add(REQUEST),
        requests.get(REQUEST.name),
        requests.replace(REQUEST.changed(etag="1")),
        requests.delete(REQUEST.changed(etag="1")),
    ):
        with pytest.raises(StageFailed) as caught:
            await asked
        assert caught.value.stage == "requests"
