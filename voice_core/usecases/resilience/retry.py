"""Retries of idempotent calls that failed with a transient error, within a budget: the assistant's and those of clips.

The adapters of Speech, Cosmos DB and Blob storage decide their own retries; docs/reliability.md lists all.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from voice_core.domain.errors import StageFailed

Result = TypeVar("Result")

GROWTH = 4
"""Each pause is so many times as long as the one before."""
SPREAD = 0.5
"""Random share by which a pause is longer or shorter: clients that failed together do not retry together."""

RETRY_SHARE = 0.1
"""Share of the calls that may be retried."""
RESERVE = 10
"""Retries in addition to that, for a process that has made few calls; also the most that are saved up."""


class RetryBudget:
    """Retries that a process may make: a tenth of its calls, and a few more, so that it does not overload a failing
    service.
    """

    def __init__(self) -> None:
        self._left: float = RESERVE

    def earn(self) -> None:
        """Note a first call."""
        self._left = min(RESERVE, self._left + RETRY_SHARE)

    def spend(self) -> bool:
        """Take one retry from the budget; False when there is none left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


async def retry(
    operation: Callable[[], Awaitable[Result]],
    *,
    retries: RetryBudget,
    tries: int,
    pause_seconds: float,
    longest_seconds: float = 60.0,
) -> Result:
    """The result of *operation*, called at most *tries* times, as long as the budget has *retries*.

    The second try comes about *pause_seconds* after the first, or after the provider's `Retry-After` if that is longer;
    each further one after a pause four times as long. If the provider asks for a longer pause than *longest_seconds*,
    the error is raised at once.

    Raises:
        VoiceError: as *operation* does, when the error is not retryable or no try is left.
    """
    retries.earn()
    for left in reversed(range(tries)):
        try:
            return await operation()
        except StageFailed as error:
            pause = max(pause_seconds * random.uniform(1 - SPREAD, 1 + SPREAD), error.retry_after or 0.0)  # noqa: S311 - no secret depends on it
            if not error.retryable or not left or pause > longest_seconds or not retries.spend():
                raise
        await asyncio.sleep(pause)
        pause_seconds *= GROWTH
    raise AssertionError("tries is at least 1")
