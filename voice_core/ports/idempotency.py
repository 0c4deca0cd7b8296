"""The store of idempotency keys."""

from __future__ import annotations

from typing import Protocol

from voice_core.domain.idempotency import RequestClaim, RequestName


class Requests(Protocol):
    """Requests that may be sent again. All raise StageFailed with stage ``requests``."""

    async def add(self, request: RequestClaim) -> RequestClaim:
        """Store a new request; returns it with its version.

        Raises:
            Conflict: a request with this name exists.
        """

    async def get(self, name: RequestName) -> RequestClaim:
        """The request as it is now.

        Raises:
            NotFound: ``request-not-found``.
        """

    async def replace(self, request: RequestClaim) -> RequestClaim:
        """Store a changed request; returns it with its new version.

        Raises:
            Conflict: the request has been changed since it was read, or it no longer exists.
        """

    async def delete(self, request: RequestClaim) -> None:
        """Delete this version; succeeds when there is another one, or none."""

    async def delete_of_conversation(self, user_id: str, conversation_id: str) -> None:
        """Delete all requests of a conversation, with their journals."""
