"""No more calls of a provider at once than its quota allows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic

from voice_core import telemetry
from voice_core.domain.errors import AtCapacity

BACK_SECONDS = 1.0
"""When to come back: places become free all the time."""


class Bulkhead:
    """Lets *most* calls through at once; each waits for its place, *wait_seconds* at the most.

    Calls come through in the order in which they asked.
    """

    def __init__(self, most: int, wait_seconds: float) -> None:
        self._places = [asyncio.Semaphore(most)]
        self._wait_seconds: float | None = wait_seconds

    def part(self, most: int) -> "Bulkhead":
        """A gate to no more than *most* of these places, for those who have all the time in the world."""
        bulkhead = Bulkhead(most, 0.0)
        bulkhead._places += self._places
        bulkhead._wait_seconds = None
        return bulkhead

    @asynccontextmanager
    async def place(self, stage: str) -> AsyncIterator[None]:
        """A place, to the end of the block.

        Raises:
            Crowded: there was none in time.
        """
        async with AsyncExitStack() as taken:
            if self._wait_seconds is not None and self._places[0].locked():
                await self._wait(taken, stage)
            else:
                await self._take(taken)
            yield

    async def _wait(self, taken: AsyncExitStack, stage: str) -> None:
        since, served = monotonic(), False
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._take(taken)
            served = True
        except TimeoutError as error:
            detail = "As much as may be asked of it at once is being asked already."
            raise AtCapacity(detail, stage=stage, retry_after=BACK_SECONDS) from error
        finally:
            waited_ms = round((monotonic() - since) * 1000)
            telemetry.event("provider-busy", {"stage": stage, "waitedMs": waited_ms, "served": served})

    async def _take(self, taken: AsyncExitStack) -> None:
        for place in self._places:
            await taken.enter_async_context(place)
