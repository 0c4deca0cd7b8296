"""Slots for decoder processes: one for each holder, such as a user, and a bounded number in all."""

import asyncio
from collections import deque
from collections.abc import Hashable

from voice_core import timeouts
from voice_core.domain.errors import Busy

WAIT_SECONDS = 15.0
"""Longest wait for a slot. A user's stalled upload is ended sooner, and releases its slot."""

RETRY_SECONDS = 5.0


class Slots:
    """At most *most* slots, and one for each holder."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._holders: set[Hashable] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()

    def free(self, holder: Hashable) -> bool:
        """Whether `acquire` would not wait."""
        return holder not in self._holders and len(self._holders) < self._most

    async def acquire(self, holder: Hashable, wait_seconds: float | None = WAIT_SECONDS) -> None:
        """Wait for a slot, for *wait_seconds* at most; None: without a limit.

        Raises:
            Busy: none became free.
        """
        try:
            async with timeouts.timeout(wait_seconds):
                while not self.free(holder):
                    await self._release()
        except TimeoutError as error:
            detail = "Earlier recordings are still being decoded. Send this one again."
            raise Busy(detail, retry_after=RETRY_SECONDS) from error
        self._holders.add(holder)

    def release(self, holder: Hashable) -> None:
        """Give a slot back."""
        self._holders.discard(holder)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def _release(self) -> None:
        """Wait for the release of any slot."""
        released = asyncio.get_running_loop().create_future()
        self._waiting.append(released)
        try:
            await released
        finally:
            self._waiting.remove(released)
