"""Idempotent requests, stored in one Cosmos DB container."""

from datetime import datetime

from voice_core.adapters.cosmos.container import Container, Database
from voice_core.adapters.cosmos.documents import Document, utc_text
from voice_core.adapters.cosmos.journal_documents import journal_document, journal_from
from voice_core.adapters.cosmos.store import Store
from voice_core.domain.errors import Conflict, NotFound, StageFailed
from voice_core.domain.idempotency import RequestClaim, RequestName

STAGE = "requests"

SCHEMA = 1

INDEXED = ("conversationId",)

OF_CONVERSATION = "SELECT c.id, c._etag FROM c WHERE c.conversationId = @id"


class CosmosRequests(Store):
    """The `Requests` of all users; *ttl_seconds* is how long one is stored after its last change."""

    def __init__(self, database: Database, *, ttl_seconds: int, deadline_seconds: float) -> None:
        super().__init__(Container(database, STAGE, INDEXED, deadline_seconds))
        self._ttl_seconds = ttl_seconds

    async def add(self, request: RequestClaim) -> RequestClaim:
        """Store a new request.

        Raises:
            Conflict: there is a request of this name.
        """
        async with self.container.partition(request.name.user_id) as partition:
            document = await partition.create(self._document(request))
        if document is None:
            raise Conflict("There is a request of this name.", stage=STAGE)
        return _request(document)

    async def get(self, name: RequestName) -> RequestClaim:
        """The request as it is now.

        Raises:
            NotFound: ``request-not-found``.
        """
        async with self.container.partition(name.user_id) as partition:
            document = await partition.read(name.id)
        if document is None:
            raise NotFound("There is no such request.", code="request-not-found", stage=STAGE)
        return _request(document)

    async def replace(self, request: RequestClaim) -> RequestClaim:
        """Store a changed request, unless another worker has changed it since it was read.

        Raises:
            Conflict: another worker has changed it.
        """
        async with self.container.partition(request.name.user_id) as partition:
            document = await partition.replace(self._document(request), request.etag)
        if document is None:
            raise Conflict("Another worker is processing this request.", stage=STAGE)
        return _request(document)

    async def delete(self, request: RequestClaim) -> None:
        """Delete this version; succeeds without effect if there is another, or none."""
        async with self.container.partition(request.name.user_id) as partition:
            await partition.delete(request.name.id, request.etag)

    async def delete_of_conversation(self, user_id: str, conversation_id: str) -> None:
        """Delete all requests of a conversation, and their journals with them."""
        async with self.container.partition(user_id) as partition:
            for found in await partition.all(OF_CONVERSATION, {"id": conversation_id}):
                await partition.delete(found["id"], found["_etag"])

    def _document(self, request: RequestClaim) -> Document:
        return {
            "id": request.name.id,
            "userId": request.name.user_id,
            "asked": request.words_digest,
            "worker": request.worker,
            "until": utc_text(request.until),
            "conversationId": request.journal.conversation_id if request.journal else "",
            "journal": journal_document(request.journal) if request.journal else None,
            "schema": SCHEMA,
            "ttl": self._ttl_seconds,
        }


def _request(document: Document) -> RequestClaim:
    try:
        return RequestClaim(
            RequestName(document["userId"], document["id"]),
            words_digest=document["asked"],
            worker=document["worker"],
            until=datetime.fromisoformat(document["until"]),
            journal=journal_from(document["journal"]) if document.get("journal") else None,
            etag=document["_etag"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StageFailed("A stored request is not readable.", stage=STAGE, retryable=False) from error
