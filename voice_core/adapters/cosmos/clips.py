"""The jobs of clips, stored in one Cosmos DB container."""

from collections.abc import Sequence

from voice_core.adapters.cosmos.clip_documents import INDEXED, STAGE, clip_document, clip_from
from voice_core.adapters.cosmos.container import Container, Database
from voice_core.adapters.cosmos.store import Store
from voice_core.domain.clip import Clip, ClipName
from voice_core.domain.errors import Conflict, NotFound

OF_CONVERSATION = "SELECT VALUE c.id FROM c WHERE c.conversationId = @id"


class CosmosClips(Store):
    """The `Clips` of all users; *ttl_seconds* is how long a job is stored after its last change."""

    def __init__(self, database: Database, *, ttl_seconds: int, deadline_seconds: float) -> None:
        super().__init__(Container(database, STAGE, INDEXED, deadline_seconds))
        self._ttl_seconds = ttl_seconds

    async def add(self, clip: Clip) -> Clip:
        """Store a new job.

        Raises:
            Conflict: ``clip-exists``.
        """
        async with self.container.partition(clip.user_id) as partition:
            document = await partition.create(clip_document(clip, self._ttl_seconds))
        if document is None:
            raise Conflict("There is a clip of this id.", code="clip-exists", stage=STAGE)
        return clip_from(document)

    async def get(self, name: ClipName) -> Clip:
        """The job as it is now.

        Raises:
            NotFound: ``clip-not-found``; the user has no such clip.
        """
        async with self.container.partition(name.user_id) as partition:
            document = await partition.read(name.clip_id)
        if document is None:
            raise NotFound("There is no such clip.", code="clip-not-found", stage=STAGE)
        return clip_from(document)

    async def replace(self, clip: Clip) -> Clip:
        """Store a changed job, unless another worker has changed it since it was read.

        Raises:
            Conflict: another worker has changed it.
        """
        async with self.container.partition(clip.user_id) as partition:
            document = await partition.replace(clip_document(clip, self._ttl_seconds), clip.etag)
        if document is None:
            raise Conflict("Another worker has changed this clip.", stage=STAGE)
        return clip_from(document)

    async def of_conversation(self, user_id: str, conversation_id: str) -> Sequence[ClipName]:
        """The clips of a conversation, in any state."""
        async with self.container.partition(user_id) as partition:
            found = await partition.all(OF_CONVERSATION, {"id": conversation_id})
        return [ClipName(user_id, clip_id) for clip_id in found]
