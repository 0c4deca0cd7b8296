"""Who sent a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    pass


class Headers(Protocol):
    def getlist(self, key: str) -> list[str]:
        """All values of a header, by its name in lower case."""


class Callers(Protocol):
    async def identify(self, headers: Headers) -> str:
        """The user id of whoever sent a request with *headers*: letters and digits, `domain.user`.

        Raises:
            Unauthenticated: they do not say who they are, or not so that it can be believed.
            Unreachable: with stage ``identity``; it cannot be told just now.
        """

    async def check(self) -> None:
        """Get ready to identify, or raise Unreachable."""

    async def close(self) -> None:
        """Free everything."""
