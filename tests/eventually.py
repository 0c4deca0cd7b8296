"""Waiting for what another task or a server does."""

import asyncio
from collections.abc import Callable

PATIENCE_SECONDS = 120.0
"""Ends a test that hangs. No promise depends on it: another machine may be half as fast, and busy."""


async def eventually(happened: Callable[[], object]) -> None:
    """Return as soon as *happened* does, looking every millisecond.

    Raises:
        TimeoutError: it does not happen.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if happened():
                return
            await asyncio.sleep(0.001)
