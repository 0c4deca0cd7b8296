"""Timeouts that exclude the time in which our own event loop was blocked.

After a stall, asyncio runs a timer that is due before it delivers a response that arrived in the meantime. With
`asyncio.timeout`, a stall of our own would therefore look like a service that does not respond.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

TICK_SECONDS = 0.05
"""Interval of the timer that detects stalls, while any timeout is running. At most this much of a stall is counted."""

SHORTEST_SECONDS = 0.001
"""Shortest wait before the clock is read again."""


class RunningTime:
    """A clock in seconds that stands still while its event loop is blocked, and starts at no particular value.

    A timer that runs late shows that the loop was blocked, and for how long.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._blocked_seconds = 0.0
        self._due = loop.time() + TICK_SECONDS
        self._timer = loop.call_at(self._due, self._tick)
        self.users = 0

    def __call__(self) -> float:
        return min(self._loop.time(), self._due) - self._blocked_seconds

    def stop(self) -> None:
        """Stop the ticks."""
        self._timer.cancel()

    def _tick(self) -> None:
        now = self._loop.time()
        self._blocked_seconds += max(0.0, now - self._due)
        self._due = now + TICK_SECONDS
        self._timer = self._loop.call_at(self._due, self._tick)


_CLOCKS: dict[asyncio.AbstractEventLoop, RunningTime] = {}
"""Clocks by event loop; removed with the last user."""


@contextmanager
def running_time() -> Iterator[RunningTime]:
    """The clock of the running loop; it is only exact within the block."""
    loop = asyncio.get_running_loop()
    if loop not in _CLOCKS:
        _CLOCKS[loop] = RunningTime(loop)
    clock = _CLOCKS[loop]
    clock.users += 1
    try:
        yield clock
    finally:
        clock.users -= 1
        if not clock.users:
            clock.stop()
            del _CLOCKS[loop]


class Timeout:
    """A timeout of a block, measured by *clock*."""

    def __init__(self, timeout: asyncio.Timeout, clock: RunningTime) -> None:
        self._timeout = timeout
        self._clock = clock
        self._started: float | None = None
        self._seconds = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waited_seconds(self) -> float:
        """Since the latest start; 0 before."""
        return 0.0 if self._started is None else self._clock() - self._started

    def start(self, seconds: float) -> None:
        """End the block after *seconds* from now, whatever was set before."""
        self.stop()
        self._started, self._seconds = self._clock(), seconds
        self._wait()

    def stop(self) -> None:
        """Cancel the timeout: wait for ever."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        left = self._seconds - self.waited_seconds
        loop = asyncio.get_running_loop()
        if left > 0:
            self._timer = loop.call_later(max(left, SHORTEST_SECONDS), self._wait)
        else:
            self._timeout.reschedule(loop.time())


@asynccontextmanager
async def timeout(seconds: float | None) -> AsyncIterator[Timeout]:
    """End the block after *seconds* in which the event loop ran; None: not before `Timeout.start`.

    Raises:
        TimeoutError: the time is up.
    """
    async with asyncio.timeout(None) as ending:
        with running_time() as clock:
            running = Timeout(ending, clock)
            if seconds is not None:
                running.start(seconds)
            try:
                yield running
            finally:
                running.stop()
