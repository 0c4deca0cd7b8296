"""Whether an engine can run here: its own process finds that out, since only there its packages are imported."""

import asyncio
from contextlib import suppress

from emulators.speech.engines import EngineMissing
from emulators.speech.processes.pool import ProcessPool


class Availability:
    """The availability of the engine *name* of *pool*, found out before its first use and whenever `look` is called."""

    def __init__(self, pool: ProcessPool, name: str, *, required: bool = False) -> None:
        self.pool = pool
        self.name = name
        self.required = required
        self._lookup: asyncio.Task[None] | None = None
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
            if self._lookup is None:
                self._lookup = asyncio.create_task(self._start())
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

    async def _start(self) -> None:
        with suppress(EngineMissing):
            await self.pool.start()
