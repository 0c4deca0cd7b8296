"""Ends a process that the emulators have started."""

import asyncio
import contextlib


async def stop(process: asyncio.subprocess.Process) -> None:
    """Politely, and after a while not."""
    if process.returncode is None:
        process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 5)
    if process.returncode is None:
        process.kill()
        await process.wait()
