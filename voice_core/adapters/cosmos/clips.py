"""The jobs of clips, kept in one Cosmos DB container."""

from collections.abc import Sequence
from typing import Any

from voice_core.adapters.cosmos.clip_documents import INDEXING_POLICY, STAGE, clip_document, clip_from
from voice_core.adapters.cosmos.container import Address, Container
from voice_core.domain.clip import Clip, ClipName
from voice_core.domain.errors import Conflict, NotFound

OF_CONVERSATION = "SELECT VALUE c.id FROM c WHERE c.conversationId = @id"


class CosmosClips:
    """The `Clips` of all users, each in a partition of their own.

    *credential* is the account's key or an async token credential, which stays the caller's to close; *ttl_seconds* is
    how long a job is kept after its last change. With *create*, database and container are made if missing, which takes
    a key. All operations raise StageFailed with stage ``clips``, also when they take longer than *deadline_seconds*.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        credential: Any,
        database: str,
        container: str = STAGE,
        ttl_seconds: int,
        create: bool,
        deadline_seconds: float = 10.0,
    ) -> None:
        address = Address(endpoint, credential, database, container, INDEXING_POLICY)
        self._container = Container(address, create=create, deadline_seconds=deadline_seconds)
        self._ttl_seconds = ttl_seconds

    async def close(self) -> None:
        """Close all connections."""
        await self._container.close()

    async def check(self) -> None:
        """Reach the container, and see that it is one for clips."""
        await self._container.check()

    async def add(self, clip: Clip) -> Clip:
        """Keep a new job.

        Raises:
            Conflict: ``clip-exists``.
        """
        async with self._container.partition(clip.user_id) as partition:
            document = await partition.create(clip_document(clip, self._ttl_seconds))
        if document is None:
            raise Conflict("There is a clip of this id.", code="clip-exists", stage=STAGE)
        return clip_from(document)

    async def get(self, name: ClipName) -> Clip:
        """The job as it is now.

        Raises:
            NotFound: ``clip-not-found``; the user has no such clip.
        """
        async with self._container.partition(name.user_id) as partition:
            document = await partition.read(name.clip_id)
        if document is None:
            raise NotFound("There is no such clip.", code="clip-not-found", stage=STAGE)
        return clip_from(document)

    async def replace(self, clip: Clip) -> Clip:
        """Keep a job that was changed, unless somebody else has changed it since it was read.

        Raises:
            Conflict: they have.
        """
        async with self._container.partition(clip.user_id) as partition:
            document = await partition.replace(clip_document(clip, self._ttl_seconds), clip.etag)
        if document is None:
            raise Conflict("Somebody else has changed this clip.", stage=STAGE)
        return clip_from(document)

    async def of_conversation(self, user_id: str, conversation_id: str) -> Sequence[ClipName]:
        """The clips that belong to a conversation, however they ended."""
        async with self._container.partition(user_id) as partition:
            found = await partition.all(OF_CONVERSATION, {"id": conversation_id})
        return [ClipName(user_id, clip_id) for clip_id in found]
