"""Asking again when a provider lets us down for the moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from voice_core.domain.errors import StageFailed

Result = TypeVar("Result")

GROWTH = 4


async def persistently(ask: Callable[[], Awaitable[Result]], *, tries: int, pause_seconds: float) -> Result:
    """What *ask* gives, asked at most *tries* times.

    Raises:
        VoiceError: as *ask* does, when it is not worth another try or there is none left.
    """
    for left in reversed(range(tries)):
        try:
            return await ask()
        except StageFailed as error:
            if not error.retryable or not left:
                raise
            await asyncio.sleep(max(pause_seconds, error.retry_after or 0.0))
            pause_seconds *= GROWTH
    raise AssertionError("tries is at least 1")
