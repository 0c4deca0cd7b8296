"""The store of idempotency keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from voice_core.domain.idempotency import RequestClaim, RequestName


class Requests(Protocol):
    """Requests that may be sent again. All raise StageFailed with stage ``requests``."""

    async def add(self, request: RequestClaim) -> RequestClaim:
        """Keep a new one; gives it with its version.

        Raises:
            Conflict: there is one of this name.
        """

    async def get(self, name: RequestName) -> RequestClaim:
        """The request as it is now.

        Raises:
            NotFound: ``request-not-found``.
        """

    async def replace(self, request: RequestClaim) -> RequestClaim:
        """Keep one that was changed; gives it with its new version.

        Raises:
            Conflict: somebody else has changed it since it was read, or it is gone.
        """

    async def delete(self, request: RequestClaim) -> None:
        """Forget this version; succeeds when there is another, or none."""
