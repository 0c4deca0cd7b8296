"""Requests that may be sent again, kept in one Cosmos DB container."""

from datetime import UTC, datetime
from typing import Any

from voice_core.adapters.cosmos.container import Address, Container
from voice_core.adapters.cosmos.documents import Document
from voice_core.domain.errors import Conflict, NotFound, StageFailed
from voice_core.domain.request import Request, RequestName

STAGE = "requests"

SCHEMA = 1

INDEXING_POLICY: dict[str, Any] = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [],
    "excludedPaths": [{"path": "/*"}],
}
"""Nothing is asked for but by its id. Without an index at all there would be no TTL either."""


class CosmosRequests:
    """The `Requests` of all users, each in a partition of their own.

    *credential* is the account's key or an async token credential, which stays the caller's to close; *ttl_seconds* is
    how long a request is kept after it was last heard of. With *create*, database and container are made if missing,
    which takes a key. All operations raise StageFailed with stage ``requests``, also when they take longer than
    *deadline_seconds*.
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
        """Reach the container, and see that it is one for requests."""
        await self._container.check()

    async def add(self, request: Request) -> Request:
        """Keep a new one.

        Raises:
            Conflict: there is one of this name.
        """
        async with self._container.partition(request.name.user_id) as partition:
            document = await partition.create(self._document(request))
        if document is None:
            raise Conflict("There is a request of this name.", stage=STAGE)
        return _request(document)

    async def get(self, name: RequestName) -> Request:
        """The request as it is now.

        Raises:
            NotFound: ``request-not-found``.
        """
        async with self._container.partition(name.user_id) as partition:
            document = await partition.read(name.id)
        if document is None:
            raise NotFound("There is no such request.", code="request-not-found", stage=STAGE)
        return _request(document)

    async def replace(self, request: Request) -> Request:
        """Keep one that was changed, unless somebody else has changed it since it was read.

        Raises:
            Conflict: they have.
        """
        async with self._container.partition(request.name.user_id) as partition:
            document = await partition.replace(self._document(request), request.etag)
        if document is None:
            raise Conflict("Somebody else is at this request.", stage=STAGE)
        return _request(document)

    async def delete(self, request: Request) -> None:
        """Forget this version; succeeds when there is another, or none."""
        async with self._container.partition(request.name.user_id) as partition:
            await partition.delete(request.name.id, request.etag)

    def _document(self, request: Request) -> Document:
        return {
            "id": request.name.id,
            "userId": request.name.user_id,
            "asked": request.asked,
            "worker": request.worker,
            "until": request.until.astimezone(UTC).isoformat(timespec="microseconds"),
            "schema": SCHEMA,
            "ttl": self._ttl_seconds,
        }


def _request(document: Document) -> Request:
    try:
        return Request(
            RequestName(document["userId"], document["id"]),
            asked=document["asked"],
            worker=document["worker"],
            until=datetime.fromisoformat(document["until"]),
            etag=document["_etag"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StageFailed("A stored request is not readable.", stage=STAGE, retryable=False) from error
