"""Conversations, stored in one Cosmos DB container."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic
from weakref import WeakValueDictionary

from voice_core import telemetry
from voice_core.adapters.cosmos.container import Container, Database
from voice_core.adapters.cosmos.conversation_deletion import (
    attempts,
    conflict,
    delete_conversation,
    forget_turn,
    if_unchanged,
)
from voice_core.adapters.cosmos.documents import (
    INDEXED,
    STAGE,
    Document,
    checked_conversation_id,
    conversation_from,
    deletion_time,
    header_document,
    is_deleted,
    seal,
    turn_document,
    turn_from,
    turn_name,
    unseal,
)
from voice_core.adapters.cosmos.partition import Partition
from voice_core.adapters.cosmos.store import Store
from voice_core.domain.conversation import Conversation, Page, Turn
from voice_core.domain.errors import Conflict, NotFound

DATABASE = {"db.system.name": "azure.cosmosdb", "db.collection.name": "conversations"}
"""Attributes of our calls (https://opentelemetry.io/docs/specs/semconv/database/)."""

LIST = "SELECT * FROM c WHERE c.type = 'conversation' ORDER BY c.updatedAt DESC"
TURNS = "SELECT * FROM c WHERE c.conversationId = @id AND c.type = 'turn' ORDER BY c.seq DESC"
RECENT = TURNS.replace("*", "TOP @limit *")


class CosmosConversations(Store):
    """The `Conversations` of all users; *ttl_seconds* is how long one is stored after its last turn."""

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
        parameters = {"id": checked_conversation_id(conversation_id), "limit": limit}
        async with self.container.partition(user_id) as partition:
            # Turns alone do not show that the conversation exists: while it is being deleted, some are left.
            header, found = await asyncio.gather(partition.read(conversation_id), partition.all(RECENT, parameters))
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
    async def append(self, user_id: str, turn: Turn, age_seconds: float = 0.0) -> bool:
        """Store *turn* in its conversation, which is created with its first turn; whether *turn* is what is stored now.

        *turn* replaces an interrupted turn with the same id. Any other turn with that id stays, and nothing changes.
        It began *age_seconds* ago; infinity means that the conversation must never have been deleted.

        Raises:
            Conflict: ``conversation-deleted``; the conversation was deleted after the turn began. ``conflict``; all
                attempts conflicted with other writes.
        """
        checked_conversation_id(turn.conversation_id)
        key, called = (user_id, turn.conversation_id), monotonic()
        lock = self._appending.setdefault(key, asyncio.Lock())
        async with self.container.partition(user_id) as partition, lock:
            began = self.container.clock() - (monotonic() - called) - age_seconds
            async for _ in attempts():
                stored = await self._append_once(partition, user_id, turn, began)
                if stored is not None:
                    return stored
        raise conflict()

    async def list(self, user_id: str, limit: int, continuation: str | None) -> Page[Conversation]:
        """The user's conversations, latest first.

        Raises:
            InvalidInput: ``continuation-invalid``.
        """
        scope = "conversations"
        token = unseal(scope, continuation)
        async with self.container.partition(user_id) as partition:
            found, more = await partition.page(LIST, {}, limit, token)
        return Page(tuple(conversation_from(document) for document in found), seal(scope, more))

    async def turns(self, user_id: str, conversation_id: str, limit: int, continuation: str | None) -> Page[Turn]:
        """A conversation's turns, latest first.

        Raises:
            NotFound: ``conversation-not-found``.
            InvalidInput: ``continuation-invalid``.
        """
        scope = f"turns {checked_conversation_id(conversation_id)}"
        query = TURNS, {"id": conversation_id}, limit, unseal(scope, continuation)
        async with self.container.partition(user_id) as partition:
            header, (found, more) = await asyncio.gather(partition.read(conversation_id), partition.page(*query))
            if header and not found and continuation is None:
                # The first turn was stored between the two reads, together with the header.
                found, more = await partition.page(*query)
        _check_there(header)
        return Page(tuple(turn_from(document) for document in found), seal(scope, more))

    async def forget(self, user_id: str, conversation_id: str, turn_id: str) -> None:
        """Delete one turn, and its conversation if that has no other turn; succeeds if there is no such turn.

        Raises:
            Conflict: all attempts conflicted with other writes.
        """
        name = turn_name(checked_conversation_id(conversation_id), turn_id)
        async with self.container.partition(user_id) as partition:
            await forget_turn(partition, conversation_id, name)

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """Delete the conversation and its turns; succeeds if there is none.

        From the first step on, nothing of it can be read, and no turn that began before is stored: a tombstone stays
        for `TOMBSTONE_SECONDS`. A deletion that a crash interrupted is continued by the next `delete` of, or `append`
        to, the same conversation.

        Raises:
            Conflict: all attempts conflicted with other writes.
        """
        checked_conversation_id(conversation_id)
        async with self.container.partition(user_id) as partition:
            now = datetime.fromtimestamp(self.container.clock(), UTC)
            await delete_conversation(partition, user_id, conversation_id, now)

    async def _append_once(self, partition: Partition, user_id: str, turn: Turn, began: float) -> bool | None:
        """As `append`; None if another worker wrote the header in between."""
        stored = header = await partition.read(turn.conversation_id)
        if header and is_deleted(header):
            if began <= deletion_time(header).timestamp():
                raise _deleted()
            if not header.get("complete"):
                await delete_conversation(partition, user_id, turn.conversation_id, deletion_time(header))
                return None
            header = None
        number = header["turnCount"] + 1 if header else 1
        new = header_document(user_id, turn, number, self._ttl_seconds, header)
        document = turn_document(user_id, turn, number, self._ttl_seconds)
        write = ("replace", (new["id"], new), if_unchanged(stored)) if stored else ("create", (new,), {})
        clash = await partition.commit([("create", (document,), {}), write])
        if clash is not None and (clash.index, clash.status) == (0, 409):
            return await self._replace_interrupted(partition, user_id, turn, header)
        return True if clash is None else None

    async def _replace_interrupted(
        self, partition: Partition, user_id: str, turn: Turn, header: Document | None
    ) -> bool | None:
        """As `_append_once`, for a turn whose id is taken: replaces the stored turn if that was interrupted."""
        existing = await partition.read(turn_name(turn.conversation_id, turn.id))
        stored = turn_from(existing) if existing else None
        if stored == turn or (stored and not stored.interrupted):
            return stored == turn
        if existing is None or header is None:
            return None
        new = header_document(user_id, turn, header["turnCount"], self._ttl_seconds, header)
        document = turn_document(user_id, turn, existing["seq"], self._ttl_seconds)
        writes = [("replace", (existing["id"], document), if_unchanged(existing))]
        writes.append(("replace", (new["id"], new), if_unchanged(header)))
        return None if await partition.commit(writes) else True


def _check_there(header: Document | None) -> None:
    if header is None or is_deleted(header):
        raise NotFound("There is no such conversation.", code="conversation-not-found", stage=STAGE)


def _deleted() -> Conflict:
    detail = "The conversation was deleted while this was in progress, so it is not stored."
    return Conflict(detail, code="conversation-deleted", stage=STAGE, retryable=False)
