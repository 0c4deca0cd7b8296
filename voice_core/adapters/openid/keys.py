"""An issuer's keys, remembered: asked for rarely, and believed while it is away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from math import inf
from time import monotonic

from jwt import PyJWK

from voice_core import telemetry
from voice_core.domain.errors import Unreachable

FRESH_SECONDS = 600.0
"""How long keys are not asked for again. A key that the issuer takes back is believed for as long."""

PAUSE_SECONDS = 10.0
"""Between two requests to the issuer, however many tokens name keys that do not exist."""

KeyName = tuple[str, str]
"""A key's id and its algorithm: keys of different types may share an id (RFC 7517, section 4.5)."""

Fetch = Callable[[], Awaitable[Mapping[KeyName, PyJWK]]]


class UnknownKey(KeyError):
    """The issuer has no key of that name."""


class SigningKeys:
    """The keys that *fetch* gets, by their names; they outlive an outage of *outage_seconds*."""

    def __init__(self, fetch: Fetch, *, outage_seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._fetch = fetch
        self._longest_seconds = FRESH_SECONDS + outage_seconds
        self._clock = clock
        self._keys: Mapping[KeyName, PyJWK] = {}
        self._told_at = self._asked_at = -inf
        self._failure: Unreachable | None = None
        """Of the last request, if it failed."""
        self._asking: asyncio.Task[None] | None = None

    async def find(self, name: KeyName) -> PyJWK:
        """The key of that name: at once when it is known, from the issuer when it is not.

        Raises:
            UnknownKey: the issuer has none.
            Unreachable: with stage ``identity``; it cannot be asked.
        """
        if name not in self._keys or self._age >= self._longest_seconds:
            await self._ask_now()
        elif self._age >= FRESH_SECONDS:
            self._ask_soon()
        if name not in self._keys:
            raise UnknownKey
        return self._keys[name]

    async def ready(self) -> None:
        """Have keys; raises Unreachable."""
        if self._age >= FRESH_SECONDS:
            await self._ask_now()

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    @property
    def _age(self) -> float:
        return self._clock() - self._told_at

    async def _ask_now(self) -> None:
        self._ask_soon()
        if self._asking is not None:
            # All who wait share one request; that one of them hangs up is no reason to give it up.
            await asyncio.shield(self._asking)
        if self._failure is not None:
            pause = PAUSE_SECONDS - (self._clock() - self._asked_at)
            raise Unreachable(self._failure.detail, stage="identity", retry_after=max(0.0, pause)) from self._failure

    def _ask_soon(self) -> None:
        """Ask the issuer in the background, unless that is being done, or has been just now."""
        asking = self._asking is not None and not self._asking.done()
        if not asking and self._clock() - self._asked_at >= PAUSE_SECONDS:
            self._asked_at = self._clock()
            self._asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        try:
            self._keys = await self._fetch()
            self._told_at, self._failure = self._clock(), None
        except Unreachable as failure:
            self._fail(failure)
        except Exception as error:  # noqa: BLE001 - whatever an issuer made us stumble over, its callers may come back
            stumbled = Unreachable("The issuer's keys could not be read.", stage="identity")
            stumbled.__cause__ = error
            self._fail(stumbled)

    def _fail(self, failure: Unreachable) -> None:
        self._failure = failure
        telemetry.event("jwks-down", telemetry.reason(failure))
