"""Deleting conversations and turns from Cosmos DB: completely, repeatedly, and concurrently with appends."""

import asyncio
import time
from contextlib import suppress
from math import inf

import pytest

from emulators.script import Script, Step
from tests.adapters.cosmos.concurrent_writer import documents, numbers, opened, remember, turn
from tests.clock import Clock
from voice_core.adapters.cosmos import CosmosConversations
from voice_core.adapters.cosmos.documents import TOMBSTONE_SECONDS
from voice_core.domain.errors import Conflict, NotFound, StageFailed


async def left(url: str) -> set[str]:
    """The ids of the documents that are stored, but for tombstones of conversations that are deleted completely."""
    return {document["id"] for document in await documents(url) if not document.get("complete")}


async def test_a_deleted_conversation_is_gone(store: CosmosConversations, url: str) -> None:
    """The conversation and its turns are deleted, others stay, and its id can be used again."""
    await remember(store, 3)
    await remember(store, 2, "d")
    await store.delete("u", "c")
    await store.delete("u", "c")
    with pytest.raises(NotFound):
        await store.recent("u", "c", 9)
    assert [conversation.id for conversation in (await store.list("u", 9, None)).items] == ["d"]
    assert await left(url) == {"d", "d:t1", "d:t2"}
    await store.append("u", turn(9))
    assert numbers(await store.recent("u", "c", 9)) == [9]


@pytest.mark.parametrize("count", [99, 100, 101, 199])
async def test_long_conversations_are_deleted_completely(store: CosmosConversations, url: str, count: int) -> None:
    """Conversations around the size of one and two batches are deleted completely."""
    await remember(store, count)
    await store.delete("u", "c")
    assert await left(url) == set()


async def test_a_turn_that_began_before_the_deletion_is_not_stored(store: CosmosConversations) -> None:
    """A turn in progress does not bring a deleted conversation back; a turn that begins afterwards begins it anew."""
    await remember(store, 2)
    await store.delete("u", "c")
    with pytest.raises(Conflict) as dropped:
        await store.append("u", turn(3), age_seconds=60.0)
    assert (dropped.value.code, dropped.value.retryable) == ("conversation-deleted", False)
    with pytest.raises(NotFound):
        await store.recent("u", "c", 9)
    await store.append("u", turn(4))
    assert numbers(await store.recent("u", "c", 9)) == [4]


async def test_a_conversation_is_deleted_before_its_first_turn_is_stored(store: CosmosConversations) -> None:
    """A conversation can be deleted while its first turn is in progress, which is not stored then."""
    await store.delete("u", "c")
    with pytest.raises(Conflict, match="deleted"):
        await store.append("u", turn(1), age_seconds=inf)
    assert (await store.list("u", 9, None)).items == ()


async def test_each_deletion_counts(store: CosmosConversations, clock: Clock) -> None:
    """A turn that began after one deletion and before a second one is not stored."""
    await store.delete("u", "c")
    between = time.time()
    await store.delete("u", "c")
    with pytest.raises(Conflict, match="deleted"):
        await store.append("u", turn(1), age_seconds=time.time() - between)


async def test_a_tombstone_expires(store: CosmosConversations, url: str, clock: Clock) -> None:
    """Nothing of a deleted conversation is stored when its tombstone has expired."""
    await remember(store, 2)
    await store.delete("u", "c")
    assert [document["id"] for document in await documents(url)] == ["c"]
    clock.now += TOMBSTONE_SECONDS + 1
    assert await documents(url) == []


async def half_deleted(store: CosmosConversations, script: Script) -> None:
    """Store a conversation of 150 turns whose deletion fails after its first batch."""
    await remember(store, 150)
    script.add("batch", Step(), Step(status=403))
    with pytest.raises(StageFailed):
        await store.delete("u", "c")


async def test_a_half_deleted_conversation_cannot_be_read(store: CosmosConversations, script: Script, url: str) -> None:
    """After a deletion that failed midway, the conversation is not found or listed; deleting again completes it."""
    await half_deleted(store, script)
    assert len(await documents(url)) == 52
    with pytest.raises(NotFound):
        await store.recent("u", "c", 9)
    with pytest.raises(NotFound):
        await store.turns("u", "c", 9, None)
    assert (await store.list("u", 9, None)).items == ()
    await store.delete("u", "c")
    assert await left(url) == set()


async def test_a_half_deleted_conversation_can_begin_again(store: CosmosConversations, script: Script) -> None:
    """Appending to it completes the deletion first: the new conversation has the new turn only."""
    await half_deleted(store, script)
    await store.append("u", turn(1))
    assert numbers(await store.recent("u", "c", 9)) == [1]
    assert (await store.list("u", 9, None)).items[0].turn_count == 1


async def test_a_forgotten_turn_is_gone(store: CosmosConversations, url: str) -> None:
    """Earlier and later turns keep their order; the conversation's title is taken from a turn that is still stored."""
    await remember(store, 3)
    for _ in range(2):
        await store.forget("u", "c", turn(2).id)
    await store.append("u", turn(4))
    assert numbers(await store.recent("u", "c", 9)) == [1, 3, 4]
    await store.forget("u", "c", turn(1).id)
    assert numbers(await store.recent("u", "c", 9)) == [3, 4]
    (conversation,) = (await store.list("u", 9, None)).items
    assert (conversation.turn_count, conversation.title) == (2, turn(3).transcript)
    assert "c:t1" not in {document["id"] for document in await documents(url)}


async def test_a_conversation_without_turns_is_gone(store: CosmosConversations, url: str) -> None:
    """Forgetting the last turn deletes the conversation with its title; forgetting an unknown turn is no error."""
    await remember(store, 1)
    for conversation in ("c", "never"):
        await store.forget("u", conversation, turn(1).id)
    assert await documents(url) == []


async def test_appends_while_turns_are_forgotten_leave_no_orphans(url: str) -> None:
    """However appends and forgets of two instances interleave, header and turns agree in the end."""
    stores = [opened(url), opened(url)]
    for number in range(20):
        first, second = stores
        await asyncio.gather(
            first.append("u", turn(number)), second.forget("u", "c", f"t{number - 1}"), first.append("u", turn(100))
        )
        await second.forget("u", "c", "t100")
        stored = numbers(await first.recent("u", "c", 9))
        assert number in stored
        assert (await first.list("u", 9, None)).items[0].turn_count == len(stored)
    for store in stores:
        await store.close()


async def appended_or_dropped(store: CosmosConversations, number: int) -> None:
    """Append a turn, which is dropped if the conversation is deleted meanwhile."""
    with suppress(Conflict):
        await store.append("u", turn(number))


async def test_appends_during_a_deletion_leave_no_orphans(url: str) -> None:
    """However appends and deletes of two instances interleave, header and turns agree in the end."""
    stores = [opened(url), opened(url)]
    for number in range(20):
        first, second = stores
        await asyncio.gather(
            appended_or_dropped(first, number), second.delete("u", "c"), appended_or_dropped(second, 100 + number)
        )
        stored = await documents(url)
        counts = [document["turnCount"] for document in stored if document["type"] == "conversation"]
        assert sum(document["type"] == "turn" for document in stored) == sum(counts)
    for store in stores:
        await store.close()
