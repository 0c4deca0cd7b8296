"""Waiting until another task or a server has done something."""

import asyncio
from collections.abc import Callable

HANG_SECONDS = 120.0
"""Timeout of a test that hangs. No assertion depends on it: another machine may be half as fast, and busy."""


async def eventually(happened: Callable[[], object]) -> None:
    """Return as soon as *happened* returns something true; it is called every millisecond.

    Raises:
        TimeoutError: *happened* returned nothing true within `HANG_SECONDS`.
    """
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            if happened():
                return
            await asyncio.sleep(0.001)
