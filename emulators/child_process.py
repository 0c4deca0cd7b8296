"""Stops a process that the emulators have started."""

import asyncio
import contextlib


async def stop(process: asyncio.subprocess.Process) -> None:
    """Send SIGTERM and, after 5 s, SIGKILL."""
    if process.returncode is None:
        process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 5)
    if process.returncode is None:
        process.kill()
        await process.wait()
