"""Bounds the concurrent calls of a provider, as its quota requires."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic

from voice_core import telemetry
from voice_core.domain.errors import AtCapacity

RETRY_SECONDS = 1.0
"""`Retry-After` of a refused call: slots become free all the time."""


class Bulkhead:
    """Lets *most* calls through at once; each waits for a slot, *wait_seconds* at the most.

    Slots are assigned in the order in which they were requested.
    """

    def __init__(self, most: int, wait_seconds: float) -> None:
        self._slots = [asyncio.Semaphore(most)]
        self._wait_seconds: float | None = wait_seconds

    def share(self, most: int) -> "Bulkhead":
        """A bulkhead with at most *most* of these slots, for background work, which waits without limit."""
        bulkhead = Bulkhead(most, 0.0)
        bulkhead._slots += self._slots
        bulkhead._wait_seconds = None
        return bulkhead

    @asynccontextmanager
    async def slot(self, stage: str) -> AsyncIterator[None]:
        """Hold a slot until the end of the block.

        Raises:
            AtCapacity: none became free in time.
        """
        async with AsyncExitStack() as acquired:
            if self._wait_seconds is not None and self._slots[0].locked():
                await self._wait(acquired, stage)
            else:
                await self._acquire(acquired)
            yield

    async def _wait(self, acquired: AsyncExitStack, stage: str) -> None:
        since, served = monotonic(), False
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._acquire(acquired)
            served = True
        except TimeoutError as error:
            detail = "Too many calls to this service are in progress."
            raise AtCapacity(detail, stage=stage, retry_after=RETRY_SECONDS) from error
        finally:
            waited_ms = round((monotonic() - since) * 1000)
            telemetry.event("provider-busy", {"stage": stage, "waitedMs": waited_ms, "served": served})

    async def _acquire(self, acquired: AsyncExitStack) -> None:
        for slot in self._slots:
            await acquired.enter_async_context(slot)
