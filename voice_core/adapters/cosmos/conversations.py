"""Conversations kept in one Cosmos DB container."""

import asyncio
import random
from collections.abc import Sequence
from weakref import WeakValueDictionary

from voice_core import telemetry
from voice_core.adapters.cosmos.container import Container, Database
from voice_core.adapters.cosmos.documents import (
    INDEXED,
    STAGE,
    Document,
    checked_conversation_id,
    conversation_from,
    header_document,
    header_without,
    is_deleted,
    sealed,
    tombstone,
    turn_document,
    turn_from,
    turn_name,
    unsealed,
)
from voice_core.adapters.cosmos.partition import Partition
from voice_core.adapters.cosmos.store import Store
from voice_core.domain.conversation import Conversation, Page, Turn
from voice_core.domain.errors import Conflict, NotFound

ATTEMPTS = 8
"""At a write that others are in the way of, before giving up."""

LONGEST_PAUSE_SECONDS = 0.05
"""Between two attempts; the pause is random, so that rivals part."""

BATCH = 100
"""Operations; the service's limit."""

DATABASE = {"db.system.name": "azure.cosmosdb", "db.collection.name": "conversations"}
"""What is told of our calls (https://opentelemetry.io/docs/specs/semconv/database/)."""

LIST = "SELECT * FROM c WHERE c.type = 'conversation' ORDER BY c.updatedAt DESC"
TURNS = "SELECT * FROM c WHERE c.conversationId = @id AND c.type = 'turn' ORDER BY c.seq DESC"
RECENT = TURNS.replace("*", "TOP @limit *")
EARLIEST = "SELECT TOP 2 * FROM c WHERE c.conversationId = @id AND c.type = 'turn' ORDER BY c.seq"
TURN_NAMES = "SELECT TOP @limit VALUE c.id FROM c WHERE c.conversationId = @id AND c.type = 'turn'"


class CosmosConversations(Store):
    """The `Conversations` of all users; *ttl_seconds* is how long one is kept after its last turn."""

    def __init__(self, database: Database, *, ttl_seconds: int, deadline_seconds: float) -> None:
        super().__init__(Container(database, STAGE, INDEXED, deadline_seconds))
        self._ttl_seconds = ttl_seconds
        self._appending: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @telemetry.called("recall", DATABASE)
    async def recent(self, user_id: str, conversation_id: str, limit: int) -> Sequence[Turn]:
        """The last *limit* turns, oldest first.

        Raises:
            NotFound: ``conversation-not-found``.
        """
        asked = {"id": checked_conversation_id(conversation_id), "limit": limit}
        async with self.container.partition(user_id) as partition:
            # Turns alone do not tell: of a conversation being deleted some may be left.
            header, found = await asyncio.gather(partition.read(conversation_id), partition.all(RECENT, asked))
        _check_there(header)
        return [turn_from(document) for document in reversed(found)]

    async def turn(self, user_id: str, conversation_id: str, turn_id: str) -> Turn:
        """One turn.

        Raises:
            NotFound: ``turn-not-found``.
        """
        name = turn_name(checked_conversation_id(conversation_id), turn_id)
        async with self.container.partition(user_id) as partition:
            header, found = await asyncio.gather(partition.read(conversation_id), partition.read(name))
        if header is None or is_deleted(header) or found is None:
            raise NotFound("There is no such turn.", code="turn-not-found", stage=STAGE)
        return turn_from(found)

    @telemetry.called("append", DATABASE)
    async def append(self, user_id: str, turn: Turn) -> bool:
        """Remember *turn* in its conversation, which begins with its first turn; whether it is what is kept.

        One of its id that was interrupted gives way to it. Any other stays, and nothing changes.

        Raises:
            Conflict: others were in the way all the time.
        """
        checked_conversation_id(turn.conversation_id)
        place = (user_id, turn.conversation_id)
        mine = self._appending.setdefault(place, asyncio.Lock())
        async with self.container.partition(user_id) as partition, mine:
            for _ in range(ATTEMPTS):
                kept = await self._appended(partition, user_id, turn)
                if kept is not None:
                    return kept
                await _pause()
        raise _conflict()

    async def list(self, user_id: str, limit: int, continuation: str | None) -> Page[Conversation]:
        """The user's conversations, latest first.

        Raises:
            InvalidInput: ``continuation-invalid``.
        """
        scope = "conversations"
        token = unsealed(scope, continuation)
        async with self.container.partition(user_id) as partition:
            found, more = await partition.page(LIST, {}, limit, token)
        return Page(tuple(conversation_from(document) for document in found), sealed(scope, more))

    async def turns(self, user_id: str, conversation_id: str, limit: int, continuation: str | None) -> Page[Turn]:
        """A conversation's turns, latest first.

        Raises:
            NotFound: ``conversation-not-found``.
            InvalidInput: ``continuation-invalid``.
        """
        scope = f"turns {checked_conversation_id(conversation_id)}"
        query = TURNS, {"id": conversation_id}, limit, unsealed(scope, continuation)
        async with self.container.partition(user_id) as partition:
            header, (found, more) = await asyncio.gather(partition.read(conversation_id), partition.page(*query))
            if header and not found and continuation is None:
                # Its first turn was stored between the two reads, together with the header.
                found, more = await partition.page(*query)
        _check_there(header)
        return Page(tuple(turn_from(document) for document in found), sealed(scope, more))

    async def forget(self, user_id: str, conversation_id: str, turn_id: str) -> None:
        """Forget one turn, and a conversation that had no other; succeeds when there is none.

        Raises:
            Conflict: others were in the way all the time.
        """
        name = turn_name(checked_conversation_id(conversation_id), turn_id)
        async with self.container.partition(user_id) as partition:
            for _ in range(ATTEMPTS):
                if await _forgotten(partition, conversation_id, name):
                    return
                await _pause()
        raise _conflict()

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """Forget the conversation and its turns; succeeds when there is none.

        From the first step on nothing of it can be read. Ended by a crash, it goes on with the next `delete`, or
        `append` to the same conversation.

        Raises:
            Conflict: others were in the way all the time.
        """
        checked_conversation_id(conversation_id)
        async with self.container.partition(user_id) as partition:
            await _delete(partition, conversation_id)

    async def _appended(self, partition: Partition, user_id: str, turn: Turn) -> bool | None:
        """As `append`; None when somebody else wrote the header in between."""
        header = await partition.read(turn.conversation_id)
        if header and is_deleted(header):
            await _delete(partition, turn.conversation_id)
            header = None
        number = header["turnCount"] + 1 if header else 1
        new = header_document(user_id, turn, number, self._ttl_seconds, header)
        document = turn_document(user_id, turn, number, self._ttl_seconds)
        write = ("replace", (new["id"], new), _if_unchanged(header)) if header else ("create", (new,), {})
        clash = await partition.commit([("create", (document,), {}), write])
        if clash is not None and (clash.index, clash.status) == (0, 409):
            return await self._put_right(partition, user_id, turn, header)
        return True if clash is None else None

    async def _put_right(self, partition: Partition, user_id: str, turn: Turn, header: Document | None) -> bool | None:
        """As `_appended`, of a turn whose id is taken."""
        there = await partition.read(turn_name(turn.conversation_id, turn.id))
        kept = turn_from(there) if there else None
        if kept == turn or (kept and not kept.interrupted):
            return kept == turn
        if there is None or header is None:
            return None
        new = header_document(user_id, turn, header["turnCount"], self._ttl_seconds, header)
        document = turn_document(user_id, turn, there["seq"], self._ttl_seconds)
        writes = [("replace", (there["id"], document), _if_unchanged(there))]
        writes.append(("replace", (new["id"], new), _if_unchanged(header)))
        return None if await partition.commit(writes) else True


async def _forgotten(partition: Partition, conversation_id: str, name: str) -> bool:
    """As `CosmosConversations.forget`; False if somebody else wrote the header in between."""
    # First of all: a turn appended after it was read has changed it.
    header = await partition.read(conversation_id)
    if header is None or is_deleted(header):
        return True
    turn, first = await asyncio.gather(partition.read(name), partition.all(EARLIEST, {"id": conversation_id}))
    if turn is None:
        return True
    others = [other for other in first if other["id"] != name]
    verb, arguments = ("replace", (header_without(header, turn, others[0]),)) if others else ("delete", ())
    closing = (verb, (conversation_id, *arguments), _if_unchanged(header))
    return await partition.commit([("delete", (name,), _if_unchanged(turn)), closing]) is None


async def _delete(partition: Partition, conversation_id: str) -> None:
    for _ in range(ATTEMPTS):
        if await _deleted(partition, conversation_id):
            return
        await _pause()
    raise _conflict()


async def _deleted(partition: Partition, conversation_id: str) -> bool:
    """Delete batch by batch until nothing is left; False if somebody else wrote the header in between.

    The header goes with the last turns, in one batch. In those before it turns into a tombstone. Each expects the
    header as it was read before the turns were listed: a turn appended since has changed it.
    """
    while header := await partition.read(conversation_id):
        names = await partition.all(TURN_NAMES, {"id": conversation_id, "limit": BATCH})
        last = len(names) < BATCH
        verb, arguments = ("delete", ()) if last else ("replace", (tombstone(header),))
        closing = (verb, (conversation_id, *arguments), _if_unchanged(header))
        if await partition.commit([*(("delete", (name,), {}) for name in names[: BATCH - 1]), closing]):
            return False
        if last:
            break
    return True


def _if_unchanged(document: Document) -> dict[str, str]:
    return {"if_match_etag": document["_etag"]}


def _check_there(header: Document | None) -> None:
    if header is None or is_deleted(header):
        raise NotFound("There is no such conversation.", code="conversation-not-found", stage=STAGE)


def _conflict() -> Conflict:
    return Conflict("Others keep changing this conversation.", stage=STAGE)


async def _pause() -> None:
    await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # noqa: S311 — no secret depends on it
