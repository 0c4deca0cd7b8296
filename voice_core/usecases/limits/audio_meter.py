"""Count the seconds of sound that were received, silence included, towards the user's daily quota."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from voice_core import telemetry
from voice_core.domain.audio import RECOGNITION_RATE, milliseconds
from voice_core.domain.errors import StageFailed
from voice_core.ports.limits import UsageStore


class AudioMeter:
    """Adds received sound to the usage in *store*. *clock* gives seconds since 1970."""

    def __init__(self, store: UsageStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._pending: set[asyncio.Task[None]] = set()

    async def metered(self, user_id: str, utterance: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """*utterance* (mono 16-bit PCM at 16 kHz); as much of it as was read is counted when it ends.

        The count is written in the background. A worker that dies loses only that of the utterances in progress.
        """
        read_bytes = 0
        try:
            async with aclosing(utterance):
                async for pcm in utterance:
                    read_bytes += len(pcm)
                    yield pcm
        finally:
            if read_bytes:
                counting = asyncio.create_task(self.add_audio(user_id, milliseconds(read_bytes, RECOGNITION_RATE)))
                self._pending.add(counting)
                counting.add_done_callback(self._pending.discard)

    async def add_audio(self, user_id: str, heard_ms: int) -> None:
        """Count *heard_ms* of sound. A failure is reported to the operator only, by the event ``limits-down``."""
        try:
            await self._store.add_audio(user_id, heard_ms, round(self._clock() * 1000))
        except StageFailed as error:
            telemetry.event("limits-down", {"limit": "audio", "uncounted_ms": heard_ms} | telemetry.reason(error))

    async def close(self) -> None:
        """Wait for the counts that are being written."""
        await asyncio.gather(*self._pending)
