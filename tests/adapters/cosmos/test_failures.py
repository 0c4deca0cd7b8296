"""Failures of Cosmos DB: callers get only our errors, and get them before the deadline."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient

from emulators.cosmos import LOCAL_KEY
from emulators.script import Script, Step
from fakes.eventually import HANG_SECONDS, eventually
from tests.adapters.cosmos.concurrent_writer import database
from voice_core.adapters.cosmos import CosmosConversations
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict, Misconfigured, StageFailed, StageTimedOut, Throttled, VoiceError

TURN = Turn("t", "c", "said", "reply", datetime(2026, 1, 2, tzinfo=UTC))
DEADLINE_SECONDS = 2.0

Call = Callable[[CosmosConversations], Awaitable[object]]

CALLS: dict[str, tuple[str, Call]] = {
    "recent header": ("read", lambda store: store.recent("u", "c", 3)),
    "recent turns": ("query", lambda store: store.recent("u", "c", 3)),
    "append": ("batch", lambda store: store.append("u", TURN)),
    "list": ("query", lambda store: store.list("u", 3, None)),
    "turns": ("query", lambda store: store.turns("u", "c", 3, None)),
    "delete": ("read", lambda store: store.delete("u", "c")),
    "check": ("container", lambda store: store.check()),
}
"""Calls of the store, each with the emulator's operation on which its success depends."""

each_call = pytest.mark.parametrize(("operation", "call"), CALLS.values(), ids=CALLS)


@pytest.fixture(autouse=True)
def _quick_health_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the SDK's health check: by default it calls a failing account three times, half a second apart."""
    monkeypatch.setenv("AZURE_COSMOS_HEALTH_CHECK_RETRY_AFTER_MS", "1")


@pytest.fixture(name="store")
async def _store(url: str) -> AsyncIterator[CosmosConversations]:
    """A store that is open and contains another conversation."""
    store = opened(url)
    await store.append("u", Turn("t", "other", "said", "reply", TURN.created_at))
    yield store
    await store.close()


def opened(url: str, deadline_seconds: float = DEADLINE_SECONDS, **options: Any) -> CosmosConversations:
    return CosmosConversations(database(url, **options), ttl_seconds=1000, deadline_seconds=deadline_seconds)


async def failure_of(result: Awaitable[object]) -> VoiceError:
    """The error with which *result* fails."""
    with pytest.raises(VoiceError) as caught:
        async with asyncio.timeout(HANG_SECONDS):
            await result
    assert caught.value.stage == "conversations"
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, StageFailed, False),
        (401, Misconfigured, False),
        (403, Misconfigured, False),
        (408, StageFailed, True),
        (413, StageFailed, False),
        (449, StageFailed, True),
        (500, StageFailed, True),
        (503, StageFailed, True),
    ],
)
async def test_each_status_becomes_one_of_our_errors(
    store: CosmosConversations, script: Script, status: int, kind: type[VoiceError], retryable: bool
) -> None:
    """Each error status becomes an error that says whether a retry can help; the vendor's error is chained."""
    script.add("batch", Step(status=status, repeat=True))
    error = await failure_of(store.append("u", TURN))
    assert type(error) is kind
    assert error.retryable is retryable
    assert error.__cause__


@each_call
async def test_every_call_fails_with_our_errors(
    store: CosmosConversations, script: Script, operation: str, call: Call
) -> None:
    """Every operation translates what the SDK raises."""
    script.add(operation, Step(status=403, repeat=True))
    assert type(await failure_of(call(store))) is Misconfigured


@each_call
async def test_a_short_throttle_is_waited_out(
    store: CosmosConversations, script: Script, operation: str, call: Call
) -> None:
    """After a 429 that requests a wait of milliseconds the call is retried and succeeds."""
    await store.append("u", TURN)
    throttle = Step(status=429, headers={"x-ms-retry-after-ms": "2"})
    script.add(operation, throttle, throttle)
    await call(store)


@each_call
async def test_a_long_throttle_is_reported_at_once(url: str, script: Script, operation: str, call: Call) -> None:
    """A 429 that requests a longer wait than the deadline allows is reported at once, with the seconds to wait."""
    script.add(operation, Step(status=429, headers={"x-ms-retry-after-ms": "30000"}, repeat=True))
    store = opened(url, 10 * DEADLINE_SECONDS)
    error = await failure_of(call(store))
    assert isinstance(error, Throttled)
    assert error.retry_after == 30
    await store.close()


async def test_an_endless_throttle_ends_with_the_deadline(url: str, script: Script) -> None:
    """When each retry is throttled again for a short time, the call fails by the deadline."""
    store = opened(url, deadline_seconds=0.3)
    script.add("query", Step(status=429, headers={"x-ms-retry-after-ms": "60"}, repeat=True))
    assert type(await failure_of(store.list("u", 3, None))) in (Throttled, StageTimedOut)
    await store.close()


async def test_a_throttled_batch_keeps_its_condition(store: CosmosConversations, script: Script, url: str) -> None:
    """An append that is retried after a throttle keeps its ETag condition: another instance's turn is not lost."""
    rival = opened(url)
    await store.append("u", TURN)
    script.add("batch", Step(status=429, headers={"x-ms-retry-after-ms": "100"}))
    slow = asyncio.create_task(store.append("u", Turn("slow", "c", "said", "reply", TURN.created_at)))
    await eventually(lambda: any(entry.outcome == "status-429" for entry in script.served))
    await rival.append("u", Turn("quick", "c", "said", "reply", TURN.created_at))
    await slow
    assert {turn.id for turn in await store.recent("u", "c", 9)} == {"t", "quick", "slow"}
    listed = {one.id: one.turn_count for one in (await store.list("u", 9, None)).items}
    assert listed["c"] == 3
    await rival.close()


@each_call
async def test_silence_ends_with_the_deadline(url: str, script: Script, operation: str, call: Call) -> None:
    """A service that never responds is a timeout after *deadline_seconds*, and the SDK does not retry."""
    store = opened(url, deadline_seconds=0.2)
    script.add(operation, Step(hang=True, repeat=True))
    assert type(await failure_of(call(store))) is StageTimedOut
    assert sum(served.operation == operation for served in script.served) == 1
    await store.close()


async def test_one_lost_connection_is_no_failure(store: CosmosConversations, script: Script) -> None:
    """A connection that is dropped once, as idle ones are, is opened again, and the call succeeds."""
    await store.append("u", TURN)
    script.add("read", Step(drop_after=0))
    assert await store.recent("u", "c", 3) == [TURN]


async def test_an_unreachable_service_is_a_retryable_failure() -> None:
    """Without a server at the endpoint each call fails before the deadline, and the next one connects again."""
    store = opened("http://127.0.0.1:1")
    for _ in range(2):
        error = await failure_of(store.check())
        assert isinstance(error, StageFailed)
        assert error.retryable
    await store.close()


@pytest.mark.parametrize(
    "options", [{"credential": "b3RoZXI="}, {"credential": "not base64"}, {"credential": 7}], ids=str
)
async def test_a_wrong_key_is_a_misconfiguration(url: str, options: dict[str, Any]) -> None:
    """A key that is not accepted, or is malformed, is an error that an operator has to fix."""
    store = opened(url, **options)
    assert type(await failure_of(store.check())) is Misconfigured
    await store.close()


async def test_a_missing_container_is_a_misconfiguration(url: str, script: Script) -> None:
    """Without permission to create it, a missing container is an error that says what to do, not a document's 404."""
    store = opened(url, create=False)
    for _, call in CALLS.values():
        error = await failure_of(call(store))
        assert type(error) is Misconfigured
        assert "COSMOS_CREATE" in error.detail
    assert {entry.outcome for entry in script.served if entry.operation != "account"} == {"status-404"}
    await store.close()


async def test_a_container_that_vanishes_is_a_misconfiguration(store: CosmosConversations, url: str) -> None:
    """When the container of a running app is deleted, that is not mistaken for a missing document."""
    async with CosmosClient(url, LOCAL_KEY) as client:
        await client.delete_database("voice")
    for _, call in CALLS.values():
        assert type(await failure_of(call(store))) is Misconfigured


@pytest.mark.parametrize(
    "options", [{"partition_key": PartitionKey("/id"), "default_ttl": -1}, {"partition_key": PartitionKey("/userId")}]
)
async def test_a_container_for_something_else_is_a_misconfiguration(url: str, options: dict[str, Any]) -> None:
    """A container with another partition key, or without a TTL, is refused before anything is stored."""
    async with CosmosClient(url, LOCAL_KEY) as client:
        await (await client.create_database("voice")).create_container("conversations", **options)
    store = opened(url)
    assert type(await failure_of(store.append("u", TURN))) is Misconfigured
    await store.close()


async def test_a_failed_opening_is_tried_again(url: str, script: Script) -> None:
    """After an operation that failed to open the container, the next one opens it."""
    store = opened(url)
    script.add("container", Step(status=403))
    await failure_of(store.append("u", TURN))
    await store.append("u", TURN)
    assert await store.recent("u", "c", 3) == [TURN]
    await store.close()


async def test_endless_concurrent_changes_are_a_conflict(store: CosmosConversations, script: Script) -> None:
    """When another writer changes the header before each attempt, append and delete give up after some attempts."""
    changed = '[{"statusCode": 424}, {"statusCode": 412}]'
    script.add("batch", Step(status=207, body=changed, repeat=True))
    assert type(await failure_of(store.append("u", TURN))) is Conflict
    assert type(await failure_of(store.delete("u", "other"))) is Conflict


async def test_a_throttled_operation_of_a_batch_is_a_throttle(store: CosmosConversations, script: Script) -> None:
    """A batch whose operation is throttled, which the SDK does not retry, is retried like any other throttled call."""
    script.add("batch", Step(status=207, body='[{"statusCode": 429}, {"statusCode": 424}]'))
    await store.append("u", TURN)
    assert await store.recent("u", "c", 3) == [TURN]


async def test_a_refused_operation_of_a_batch_is_a_failure(store: CosmosConversations, script: Script) -> None:
    """A batch of which the service refuses an operation fails, and is not retried."""
    script.add("batch", Step(status=207, body='[{"statusCode": 400}, {"statusCode": 424}]', repeat=True))
    assert not (await failure_of(store.append("u", TURN))).retryable
    assert len([entry for entry in script.served if entry.outcome == "status-207"]) == 1


async def test_a_cancelled_append_leaves_the_store_usable(store: CosmosConversations, script: Script) -> None:
    """After a caller cancelled its append, later appends to the conversation do not wait for it."""
    script.add("batch", Step(hang=True))
    task = asyncio.create_task(store.append("u", TURN))
    await eventually(lambda: any(entry.outcome == "hung" for entry in script.served))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.append("u", TURN)
    assert await store.recent("u", "c", 3) == [TURN]


async def test_an_incomplete_stored_document_is_a_failure(store: CosmosConversations, url: str) -> None:
    """A turn or header without a required member is reported as a failure of the stage, not as a stray exception."""
    await store.append("u", TURN)
    async with CosmosClient(url, LOCAL_KEY) as client:
        container = client.get_database_client("voice").get_container_client("conversations")
        await container.upsert_item({"id": "c:x", "userId": "u", "conversationId": "c", "type": "turn", "seq": 9})
        await container.upsert_item({"id": "x", "userId": "u", "type": "conversation", "updatedAt": "9"})
    assert not (await failure_of(store.recent("u", "c", 3))).retryable
    assert not (await failure_of(store.list("u", 3, None))).retryable
