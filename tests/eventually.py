"""Waiting for what another task or a server does."""

import asyncio
from collections.abc import Callable


async def eventually(happened: Callable[[], object], seconds: float = 5.0) -> None:
    """Return as soon as *happened* does, looking every millisecond.

    Raises:
        TimeoutError: it did not within *seconds*.
    """
    async with asyncio.timeout(seconds):
        while True:
            if happened():
                return
            await asyncio.sleep(0.001)
