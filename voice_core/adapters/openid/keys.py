"""Cache of an issuer's keys: refreshed rarely, and used while the issuer is unreachable."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from math import inf
from time import monotonic

from jwt import PyJWK

from voice_core import telemetry
from voice_core.domain.errors import Unreachable

FRESH_SECONDS = 600.0
"""How long keys are used without a refresh. A key that the issuer revokes is accepted for as long."""

PAUSE_SECONDS = 10.0
"""Shortest time between two requests to the issuer, however many tokens name keys that do not exist."""

KeyName = tuple[str, str]
"""A key's id and its algorithm: keys of different types may share an id (RFC 7517, section 4.5)."""

Fetch = Callable[[], Awaitable[Mapping[KeyName, PyJWK]]]


class UnknownKey(KeyError):
    """The issuer has no key of that name."""


class SigningKeys:
    """The keys that *fetch* returns, by their names. They stay valid during an outage of *outage_seconds*."""

    def __init__(self, fetch: Fetch, *, outage_seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._fetch = fetch
        self._longest_seconds = FRESH_SECONDS + outage_seconds
        self._clock = clock
        self._keys: Mapping[KeyName, PyJWK] = {}
        self._fetched_at = self._requested_at = -inf
        self._failure: Unreachable | None = None
        """Error of the last request, if it failed."""
        self._refreshing: asyncio.Task[None] | None = None

    async def find(self, name: KeyName) -> PyJWK:
        """The key of that name: from the cache if it is there, else from the issuer.

        Raises:
            UnknownKey: the issuer has no such key.
            Unreachable: with stage ``identity``; the issuer cannot be reached.
        """
        if name not in self._keys or self._age >= self._longest_seconds:
            await self._refresh_now()
        elif self._age >= FRESH_SECONDS:
            self._refresh_soon()
        if name not in self._keys:
            raise UnknownKey
        return self._keys[name]

    async def ready(self) -> None:
        """Fetch the keys unless they are fresh.

        Raises:
            Unreachable: with stage ``identity``.
        """
        if self._age >= FRESH_SECONDS:
            await self._refresh_now()

    async def close(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)

    @property
    def _age(self) -> float:
        return self._clock() - self._fetched_at

    async def _refresh_now(self) -> None:
        self._refresh_soon()
        if self._refreshing is not None:
            # All waiting callers share one request; a caller that disconnects must not cancel it.
            await asyncio.shield(self._refreshing)
        if self._failure is not None:
            pause = PAUSE_SECONDS - (self._clock() - self._requested_at)
            raise Unreachable(self._failure.detail, stage="identity", retry_after=max(0.0, pause)) from self._failure

    def _refresh_soon(self) -> None:
        """Refresh in the background, unless a refresh is in progress or began less than `PAUSE_SECONDS` ago."""
        refreshing = self._refreshing is not None and not self._refreshing.done()
        if not refreshing and self._clock() - self._requested_at >= PAUSE_SECONDS:
            self._requested_at = self._clock()
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            self._keys = await self._fetch()
            self._fetched_at, self._failure = self._clock(), None
        except Unreachable as failure:
            self._fail(failure)
        except Exception as error:  # noqa: BLE001 - whatever the issuer's response broke, a later one may be good
            unreadable = Unreachable("The issuer's keys could not be read.", stage="identity")
            unreadable.__cause__ = error
            self._fail(unreadable)

    def _fail(self, failure: Unreachable) -> None:
        self._failure = failure
        telemetry.event("jwks-down", telemetry.reason(failure))
