"""Charge the sound that was heard to its user's day."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from voice_core import telemetry
from voice_core.domain.audio import RECOGNITION_RATE, milliseconds
from voice_core.domain.errors import StageFailed
from voice_core.ports.limits import Admissions


class AudioMeter:
    """Charges to what *store* counts. *clock* gives seconds since 1970."""

    def __init__(self, store: Admissions, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()

    async def metered(self, user_id: str, utterance: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """*utterance* (mono 16-bit PCM at 16 kHz); as much of it as was taken is charged when it ends.

        Nobody waits for that, so a worker that dies loses the charge of the utterances it was hearing and no other.
        """
        heard = 0
        try:
            async with aclosing(utterance):
                async for pcm in utterance:
                    heard += len(pcm)
                    yield pcm
        finally:
            if heard:
                charging = asyncio.create_task(self.charge(user_id, milliseconds(heard, RECOGNITION_RATE)))
                self._under_way.add(charging)
                charging.add_done_callback(self._under_way.discard)

    async def charge(self, user_id: str, heard_ms: int) -> None:
        """Charge so much sound; where it cannot be counted, only the operator hears of it."""
        try:
            await self._store.charge(user_id, heard_ms, round(self._clock() * 1000))
        except StageFailed as error:
            telemetry.event("limits-down", {"limit": "audio", "uncharged_ms": heard_ms} | telemetry.reason(error))

    async def close(self) -> None:
        """Wait for what is being charged."""
        await asyncio.gather(*self._under_way)
