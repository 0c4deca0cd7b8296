"""The longest time in which an event loop did nothing else."""

import asyncio

TICK_SECONDS = 0.005


class LoopDelay:
    """Measures the running event loop from its first `take` on."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._ticking: asyncio.Task[None] | None = None

    def take(self) -> float:
        """The longest delay in seconds since the last call; 0 at the first one."""
        if self._ticking is None:
            self._ticking = asyncio.create_task(self._tick())
        longest, self._longest = self._longest, 0.0
        return longest

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            self._longest = max(self._longest, loop.time() - due)
