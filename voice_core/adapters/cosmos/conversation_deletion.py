"""Deletion of conversations and of single turns: completely, whatever other workers write meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime

from voice_core.adapters.cosmos.documents import (
    STAGE,
    Document,
    header_without,
    is_deleted,
    tombstone,
)
from voice_core.adapters.cosmos.partition import Partition
from voice_core.domain.errors import Conflict

ATTEMPTS = 8
"""Most attempts at a write that conflicts with other workers' writes."""

LONGEST_PAUSE_SECONDS = 0.05
"""Longest pause between two attempts; its length is random, so that conflicting workers do not collide again."""

BATCH = 100
"""Operations in a batch; the service's limit."""

EARLIEST = "SELECT TOP 2 * FROM c WHERE c.conversationId = @id AND c.type = 'turn' ORDER BY c.seq"
TURN_NAMES = "SELECT TOP @limit VALUE c.id FROM c WHERE c.conversationId = @id AND c.type = 'turn'"


async def attempts() -> AsyncIterator[int]:
    """The numbers of the attempts at a write, with a pause after each that failed."""
    for number in range(ATTEMPTS):
        yield number
        await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311 — no secret depends on it


def conflict() -> Conflict:
    """The error after the last attempt."""
    return Conflict("Other requests keep changing this conversation.", stage=STAGE)


def if_unchanged(document: Document) -> dict[str, str]:
    """The options of an operation that expects *document* as it was read."""
    return {"if_match_etag": document["_etag"]}


async def forget_turn(partition: Partition, conversation_id: str, name: str) -> None:
    """Delete the turn whose document has this *name*, and its conversation if that has no other turn.

    Raises:
        Conflict: all attempts conflicted with other writes.
    """
    async for _ in attempts():
        if await _forget_once(partition, conversation_id, name):
            return
    raise conflict()


async def delete_conversation(partition: Partition, user_id: str, conversation_id: str, deleted_at: datetime) -> None:
    """Delete the conversation and its turns, and leave a tombstone, whether or not there was a conversation.

    Raises:
        Conflict: all attempts conflicted with other writes.
    """
    async for _ in attempts():
        if await _delete_once(partition, user_id, conversation_id, deleted_at):
            return
    raise conflict()


async def _forget_once(partition: Partition, conversation_id: str, name: str) -> bool:
    """As `forget_turn`; False if another worker wrote the header in between."""
    # Read the header first: a turn that is appended later changes it, and the ETag shows that.
    header = await partition.read(conversation_id)
    if header is None or is_deleted(header):
        return True
    turn, first = await asyncio.gather(partition.read(name), partition.all(EARLIEST, {"id": conversation_id}))
    if turn is None:
        return True
    others = [other for other in first if other["id"] != name]
    verb, arguments = ("replace", (header_without(header, turn, others[0]),)) if others else ("delete", ())
    header_write = (verb, (conversation_id, *arguments), if_unchanged(header))
    return await partition.commit([("delete", (name,), if_unchanged(turn)), header_write]) is None


async def _delete_once(partition: Partition, user_id: str, conversation_id: str, deleted_at: datetime) -> bool:
    """Delete batch by batch until no turn is left; False if another worker wrote the header in between.

    Each batch replaces the header by a tombstone, and expects the header as it was before the turns were listed: a turn
    appended since then has changed it.
    """
    while header := await partition.read(conversation_id):
        names = await partition.all(TURN_NAMES, {"id": conversation_id, "limit": BATCH})
        last = len(names) < BATCH
        stone = tombstone(user_id, conversation_id, deleted_at, header, complete=last)
        header_write = ("replace", (conversation_id, stone), if_unchanged(header))
        if await partition.commit([*(("delete", (name,), {}) for name in names[: BATCH - 1]), header_write]):
            return False
        if last:
            return True
    return await partition.create(tombstone(user_id, conversation_id, deleted_at, None, complete=True)) is not None
