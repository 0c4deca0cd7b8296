"""What callers hear when Cosmos does not do as asked: our errors only, and in time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient

from emulators.cosmos import LOCAL_KEY
from emulators.script import Script, Step
from tests.adapters.cosmos.writing import database
from tests.eventually import PATIENCE_SECONDS, eventually
from voice_core.adapters.cosmos import CosmosConversations
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict, Misconfigured, StageFailed, StageTimedOut, Throttled, VoiceError

TURN = Turn("t", "c", "said", "reply", datetime(2026, 1, 2, tzinfo=UTC))
DEADLINE_SECONDS = 2.0

Ask = Callable[[CosmosConversations], Awaitable[object]]

ASKS: dict[str, tuple[str, Ask]] = {
    "recent header": ("read", lambda store: store.recent("u", "c", 3)),
    "recent turns": ("query", lambda store: store.recent("u", "c", 3)),
    "append": ("batch", lambda store: store.append("u", TURN)),
    "list": ("query", lambda store: store.list("u", 3, None)),
    "turns": ("query", lambda store: store.turns("u", "c", 3, None)),
    "delete": ("read", lambda store: store.delete("u", "c")),
    "check": ("container", lambda store: store.check()),
}
"""What may be asked, and the operation of the emulator that it stands or falls with."""

asking = pytest.mark.parametrize(("operation", "ask"), ASKS.values(), ids=ASKS)


@pytest.fixture(autouse=True)
def _hasty_health_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK asks a failing account three times, half a second apart."""
    monkeypatch.setenv("AZURE_COSMOS_HEALTH_CHECK_RETRY_AFTER_MS", "1")


@pytest.fixture(name="store")
async def _store(url: str) -> AsyncIterator[CosmosConversations]:
    """A store that is open and holds another conversation."""
    store = opened(url)
    await store.append("u", Turn("t", "other", "said", "reply", TURN.created_at))
    yield store
    await store.close()


def opened(url: str, deadline_seconds: float = DEADLINE_SECONDS, **options: Any) -> CosmosConversations:
    return CosmosConversations(database(url, **options), ttl_seconds=1000, deadline_seconds=deadline_seconds)


async def failing(asked: Awaitable[object]) -> VoiceError:
    """The error that *asked* ends in."""
    with pytest.raises(VoiceError) as caught:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asked
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
async def test_a_status_is_told_as_what_it_means(
    store: CosmosConversations, script: Script, status: int, kind: type[VoiceError], retryable: bool
) -> None:
    """Each error status becomes one of ours: mend it, or try again; the vendor's error is chained."""
    script.add("batch", Step(status=status, repeat=True))
    error = await failing(store.append("u", TURN))
    assert type(error) is kind
    assert error.retryable is retryable
    assert error.__cause__


@asking
async def test_whatever_is_asked_fails_with_our_errors(
    store: CosmosConversations, script: Script, operation: str, ask: Ask
) -> None:
    """Every operation translates what the SDK raises."""
    script.add(operation, Step(status=403, repeat=True))
    assert type(await failing(ask(store))) is Misconfigured


@asking
async def test_a_short_throttle_is_waited_out(
    store: CosmosConversations, script: Script, operation: str, ask: Ask
) -> None:
    """429 that asks for milliseconds is not the caller's business."""
    await store.append("u", TURN)
    throttle = Step(status=429, headers={"x-ms-retry-after-ms": "2"})
    script.add(operation, throttle, throttle)
    await ask(store)


@asking
async def test_a_long_throttle_is_told_at_once(url: str, script: Script, operation: str, ask: Ask) -> None:
    """429 that asks for longer than there is time for is told with the seconds to wait, and not slept through."""
    script.add(operation, Step(status=429, headers={"x-ms-retry-after-ms": "30000"}, repeat=True))
    store = opened(url, 10 * DEADLINE_SECONDS)
    error = await failing(ask(store))
    assert isinstance(error, Throttled)
    assert error.retry_after == 30
    await store.close()


async def test_a_throttle_without_end_is_told_in_time(url: str, script: Script) -> None:
    """Short waits that never end are over by the deadline."""
    store = opened(url, deadline_seconds=0.3)
    script.add("query", Step(status=429, headers={"x-ms-retry-after-ms": "60"}, repeat=True))
    assert type(await failing(store.list("u", 3, None))) in (Throttled, StageTimedOut)
    await store.close()


async def test_a_throttled_batch_keeps_its_condition(store: CosmosConversations, script: Script, url: str) -> None:
    """An append that is repeated after a throttle still expects the header it read: another's turn is not lost."""
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


@asking
async def test_silence_ends_with_the_deadline(url: str, script: Script, operation: str, ask: Ask) -> None:
    """A service that never answers is a timeout after the seconds given; the SDK, which would ask again, has no say."""
    store = opened(url, deadline_seconds=0.2)
    script.add(operation, Step(hang=True, repeat=True))
    assert type(await failing(ask(store))) is StageTimedOut
    assert sum(served.operation == operation for served in script.served) == 1
    await store.close()


async def test_one_lost_connection_goes_unnoticed(store: CosmosConversations, script: Script) -> None:
    """A connection that dies once, as idle ones do, is opened again without a word."""
    await store.append("u", TURN)
    script.add("read", Step(drop_after=0))
    assert await store.recent("u", "c", 3) == [TURN]


async def test_nobody_there_is_a_failure_to_retry() -> None:
    """With no server at the endpoint the failure says so in time, and opening is tried again each time."""
    store = opened("http://127.0.0.1:1")
    for _ in range(2):
        error = await failing(store.check())
        assert isinstance(error, StageFailed)
        assert error.retryable
    await store.close()


@pytest.mark.parametrize(
    "options", [{"credential": "b3RoZXI="}, {"credential": "not base64"}, {"credential": 7}], ids=str
)
async def test_a_wrong_key_is_a_misconfiguration(url: str, options: dict[str, Any]) -> None:
    """A key that is not accepted, or is none, is for an operator to mend."""
    store = opened(url, **options)
    assert type(await failing(store.check())) is Misconfigured
    await store.close()


async def test_a_missing_container_is_a_misconfiguration(url: str, script: Script) -> None:
    """Without leave to create, nothing is made: the error says what to do, for reads that could mean a 404 too."""
    store = opened(url, create=False)
    for _, ask in ASKS.values():
        error = await failing(ask(store))
        assert type(error) is Misconfigured
        assert "COSMOS_CREATE" in error.detail
    assert {entry.outcome for entry in script.served if entry.operation != "account"} == {"status-404"}
    await store.close()


async def test_a_container_that_vanishes_is_a_misconfiguration(store: CosmosConversations, url: str) -> None:
    """When the container is deleted under a running app, a missing document is not what that looks like."""
    async with CosmosClient(url, LOCAL_KEY) as client:
        await client.delete_database("voice")
    for _, ask in ASKS.values():
        assert type(await failing(ask(store))) is Misconfigured


@pytest.mark.parametrize(
    "options", [{"partition_key": PartitionKey("/id"), "default_ttl": -1}, {"partition_key": PartitionKey("/userId")}]
)
async def test_a_container_for_something_else_is_a_misconfiguration(url: str, options: dict[str, Any]) -> None:
    """A container with another partition key, or one in which nothing expires, is refused before anything is stored."""
    async with CosmosClient(url, LOCAL_KEY) as client:
        await (await client.create_database("voice")).create_container("conversations", **options)
    store = opened(url)
    assert type(await failing(store.append("u", TURN))) is Misconfigured
    await store.close()


async def test_a_failed_opening_is_tried_again(url: str, script: Script) -> None:
    """The first operation's failure is not the next one's."""
    store = opened(url)
    script.add("container", Step(status=403))
    await failing(store.append("u", TURN))
    await store.append("u", TURN)
    assert await store.recent("u", "c", 3) == [TURN]
    await store.close()


async def test_rivals_without_end_are_a_conflict(store: CosmosConversations, script: Script) -> None:
    """When the header has always just been changed, append and delete give up after some attempts."""
    changed = '[{"statusCode": 424}, {"statusCode": 412}]'
    script.add("batch", Step(status=207, body=changed, repeat=True))
    assert type(await failing(store.append("u", TURN))) is Conflict
    assert type(await failing(store.delete("u", "other"))) is Conflict


async def test_a_throttled_operation_of_a_batch_is_a_throttle(store: CosmosConversations, script: Script) -> None:
    """A batch may be throttled inside, which the SDK does not retry: it is waited out as any other."""
    script.add("batch", Step(status=207, body='[{"statusCode": 429}, {"statusCode": 424}]'))
    await store.append("u", TURN)
    assert await store.recent("u", "c", 3) == [TURN]


async def test_a_refused_operation_of_a_batch_is_a_failure(store: CosmosConversations, script: Script) -> None:
    """A batch of which the service does not take an operation fails, and is not tried again."""
    script.add("batch", Step(status=207, body='[{"statusCode": 400}, {"statusCode": 424}]', repeat=True))
    assert not (await failing(store.append("u", TURN))).retryable
    assert len([entry for entry in script.served if entry.outcome == "status-207"]) == 1


async def test_a_cancelled_append_leaves_the_store_usable(store: CosmosConversations, script: Script) -> None:
    """A caller that goes away in the middle does not keep later appends to the conversation waiting."""
    script.add("batch", Step(hang=True))
    task = asyncio.create_task(store.append("u", TURN))
    await eventually(lambda: any(entry.outcome == "hung" for entry in script.served))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.append("u", TURN)
    assert await store.recent("u", "c", 3) == [TURN]


async def test_a_stored_document_of_another_making_is_a_failure(store: CosmosConversations, url: str) -> None:
    """A turn or header that lacks what it should have is told as a failure, not as a stray exception."""
    await store.append("u", TURN)
    async with CosmosClient(url, LOCAL_KEY) as client:
        container = client.get_database_client("voice").get_container_client("conversations")
        await container.upsert_item({"id": "c:x", "userId": "u", "conversationId": "c", "type": "turn", "seq": 9})
        await container.upsert_item({"id": "x", "userId": "u", "type": "conversation", "updatedAt": "9"})
    assert not (await failing(store.recent("u", "c", 3))).retryable
    assert not (await failing(store.list("u", 3, None))).retryable
