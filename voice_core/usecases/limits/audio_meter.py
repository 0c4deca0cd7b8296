"""Count the seconds of sound that were received, silence included, towards the user's daily quota."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from voice_core import telemetry
from voice_core.domain.audio import RECOGNITION_RATE, milliseconds
from voice_core.domain.errors import StageFailed
from voice_core.domain.limits import LimitStatus
from voice_core.ports.limits import UsageStore
from voice_core.usecases.limits.local_usage import LocalUsage
from voice_core.usecases.limits.rate_limiter import (
    LimitRules,
    remainders,
    report_limited,
    report_outage,
    unavailable,
)


class AudioMeter:
    """Adds received sound to the usage in *store*, by *rules*. *clock* gives seconds since 1970.

    What the store could not count counts in *local* at once, and is stored together with the user's next sound.
    """

    def __init__(
        self, store: UsageStore, rules: LimitRules, clock: Callable[[], float], local: LocalUsage | None = None
    ) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._local = local or LocalUsage()
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
        now = self._now()
        added_ms = heard_ms + self._local.take_unstored(user_id, now)
        try:
            await self._store.add_audio(user_id, added_ms, now)
        except StageFailed as error:
            self._local.add_unstored(user_id, added_ms, now)
            telemetry.event("limits-down", {"limit": "audio", "uncounted_ms": heard_ms} | telemetry.reason(error))
        except asyncio.CancelledError:
            self._local.add_unstored(user_id, added_ms, now)
            raise

    async def check_audio(self, user_id: str) -> None:
        """Check the daily quota, for work that begins long after it was admitted.

        Raises:
            LimitReached: the user's quota of today is used up.
            Unreachable: with stage ``limits``; the store is unavailable, and the rules are ``closed`` then.
        """
        self._check_known(user_id)
        try:
            self._local.note(user_id, None, await self._store.audio_usage(user_id))
        except StageFailed as error:
            self._check_outage(error)
        self._check_known(user_id)

    async def admit_audio(self, user_id: str, heard_ms: int) -> None:
        """Count *heard_ms* of sound before it is recognised.

        Whatever is admitted at the same time, for all workers together, only the last of it exceeds the quota.

        Raises:
            LimitReached: the user's quota of today was used up before.
            Unreachable: with stage ``limits``; the store is unavailable, and the rules are ``closed`` then.
        """
        self._check_known(user_id)
        now = self._now()
        unstored_ms = self._local.take_unstored(user_id, now)
        admitted = False
        try:
            admitted, used = await self._store.admit_audio(user_id, heard_ms + unstored_ms, self._rules.quota, now)
        except StageFailed as error:
            self._check_outage(error)
            # Again: while the store was called, other sound of the user may have been admitted.
            self._check_known(user_id, unstored_ms)
            self._local.add_unstored(user_id, heard_ms, now)
        else:
            self._local.note(user_id, None, used)
            if not admitted:
                left = remainders((self._rules.quota,), used, self._now())
                report_limited(LimitStatus(admitted, left)).check()
        finally:
            if not admitted and unstored_ms:
                self._local.add_unstored(user_id, unstored_ms, now)

    async def close(self) -> None:
        """Wait for the counts that are being written."""
        await asyncio.gather(*self._pending)

    def _check_outage(self, error: StageFailed) -> None:
        if self._rules.when_down == "closed":
            raise unavailable("audio", error) from error
        report_outage("audio", error, admitted=True)

    def _check_known(self, user_id: str, also_ms: int = 0) -> None:
        """Check the quota by what is known here, and *also_ms* in addition."""
        now = self._now()
        used = self._local.known(user_id, None, now)
        left = remainders((self._rules.quota,), replace(used, heard_ms=used.heard_ms + also_ms), now)
        report_limited(LimitStatus(bool(left[0].count), left)).check()

    def _now(self) -> int:
        return round(self._clock() * 1000)
