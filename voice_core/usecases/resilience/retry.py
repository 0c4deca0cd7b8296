"""Asking again when a provider lets us down for the moment, where that does no harm."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from voice_core.domain.errors import StageFailed

Result = TypeVar("Result")

GROWTH = 4
SPREAD = 0.5
"""Of a pause, at random: those who failed together do not come back together."""

SHARE = 0.1
"""Of the requests, that may be made again."""
IN_HAND = 10
"""More of them, for a process that has made few requests."""


class RetryBudget:
    """What a process may ask again: a tenth of what it asks, and a few more, so that it does not hammer the sick."""

    def __init__(self) -> None:
        self._left: float = IN_HAND

    def earn(self) -> None:
        """Something was asked for the first time."""
        self._left = min(IN_HAND, self._left + SHARE)

    def spend(self) -> bool:
        """Whether something may be asked again."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


async def retry(
    ask: Callable[[], Awaitable[Result]],
    *,
    retries: RetryBudget,
    tries: int,
    pause_seconds: float,
    longest_seconds: float = 60.0,
) -> Result:
    """What *ask* gives, asked at most *tries* times, as long as there are *retries*.

    The second try comes about *pause_seconds* after the first, or when the provider says; each further one after a
    pause four times as long. A provider that wants to be left alone for more than *longest_seconds* is.

    Raises:
        VoiceError: as *ask* does, when it is not worth another try or there is none left.
    """
    retries.earn()
    for left in reversed(range(tries)):
        try:
            return await ask()
        except StageFailed as error:
            pause = max(pause_seconds * random.uniform(1 - SPREAD, 1 + SPREAD), error.retry_after or 0.0)  # noqa: S311 - no secret depends on it
            if not error.retryable or not left or pause > longest_seconds or not retries.spend():
                raise
        await asyncio.sleep(pause)
        pause_seconds *= GROWTH
    raise AssertionError("tries is at least 1")
