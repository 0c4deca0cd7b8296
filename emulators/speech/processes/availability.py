"""Whether an engine can run here: its own process finds that out, since only there its packages are imported."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from emulators.speech.engines import EngineMissing
from emulators.speech.processes.pool import ProcessPool

RETRY_SECONDS = 30.0
"""Least time between attempts to start an engine that served before, such as one that once had too little memory."""


class Availability:
    """The availability of the engine *name* of *pool*.

    It is found out before its first use and whenever `look` is called. An engine that served and then could not be
    started is tried again by a later request, which does not wait for it unless the engine is required.
    """

    def __init__(
        self, pool: ProcessPool, name: str, *, required: bool = False, clock: Callable[[], float] = monotonic
    ) -> None:
        self.pool = pool
        self.name = name
        self.required = required
        self._clock = clock
        self._lookup: asyncio.Task[None] | None = None
        self._looked = 0.0
        self._hold = ""

    @property
    def refusing(self) -> bool:
        """Whether requests are refused."""
        return self.required and not self.serving

    @property
    def serving(self) -> bool:
        """Whether the engine was available at the last attempt."""
        return bool(self.pool.name) and not self.reason

    @property
    def reason(self) -> str:
        """Why the engine is not available, if that is known."""
        return self._hold or self.pool.missing

    async def serves(self) -> bool:
        """Whether the engine serves the next request.

        Raises:
            EngineMissing: it does not, and is required.
        """
        if not self._hold:
            if self._lookup is None or self._due(self._lookup):
                self._lookup = asyncio.create_task(self._start())
            if self.required or not self.reason:
                await asyncio.shield(self._lookup)
        if self.refusing:
            raise EngineMissing(self.reason)
        return self.serving

    def hold(self, reason: str) -> None:
        """Do not use the engine before the next `look` has found it."""
        self._hold = reason

    async def look(self) -> None:
        """Start the engine's process if it can run here. Requests wait for that, unless the engine is held."""
        self._lookup = asyncio.create_task(self._start())
        await asyncio.shield(self._lookup)
        self._hold = ""

    async def close(self) -> None:
        if self._lookup is not None:
            self._lookup.cancel()
            await asyncio.wait({self._lookup})
        await self.pool.close()

    def _due(self, lookup: asyncio.Task[None]) -> bool:
        served = bool(self.pool.name)
        return served and bool(self.reason) and lookup.done() and self._clock() - self._looked >= RETRY_SECONDS

    async def _start(self) -> None:
        self._looked = self._clock()
        with suppress(EngineMissing):
            await self.pool.start()
