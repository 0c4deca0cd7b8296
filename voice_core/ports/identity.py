"""Identification of callers."""

from __future__ import annotations

from typing import Protocol


class Headers(Protocol):
    def getlist(self, key: str) -> list[str]:
        """All values of a header, by its name in lower case."""


class Callers(Protocol):
    async def identify(self, headers: Headers) -> str:
        """The user id of the caller that sent a request with *headers*: letters and digits, see `domain.user`.

        Raises:
            Unauthenticated: the request has no credentials, or they are not valid.
            Unreachable: with stage ``identity``; the credentials cannot be checked at present.
        """

    async def check(self) -> None:
        """Prepare to identify callers, or raise Unreachable."""

    async def close(self) -> None:
        """Release all resources."""
