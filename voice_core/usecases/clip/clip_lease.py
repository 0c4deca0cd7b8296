"""The lease by which one worker at a time processes a clip: a claim in the clip's document, written by ETag."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import uuid4

from voice_core.domain.clip import Clip, ClipClaim, ClipName, Failure
from voice_core.domain.errors import Conflict, NotFound, StageFailed
from voice_core.usecases.clip.services import ClipServices

MARGIN_SECONDS = 0.1
"""Wait after another worker's claim expires, before the clip is read again."""

RENEWALS = 4
"""Renewals within the lifetime of a claim: three of them may fail."""


class LeaseLost(Exception):
    """Another worker has taken the clip over, or its owner has cancelled it: stop, and change nothing more."""


class Lease:
    """The right to process *clip*."""

    def __init__(self, clip: Clip, services: ClipServices) -> None:
        self.clip = clip
        self._worker = clip.claim.worker if clip.claim else ""
        self._clips = services.clips
        self._rules = services.rules
        self._writing = asyncio.Lock()
        self._progress: dict[str, Any] = {}

    async def change(self, **changes: Any) -> None:
        """Store *changes* of the clip and renew the claim. Does nothing once the lease has been released.

        Raises:
            LeaseLost: the clip is no longer ours.
        """
        async with self._writing:
            while self.clip.claim is not None:
                stored = dict(self._progress)
                desired = {"claim": _claim(self._worker, self._rules.claim_seconds)} | stored | changes
                try:
                    self.clip = await self._clips.replace(self.clip.changed(**desired))
                except Conflict:
                    self.clip = await self._still_ours()
                else:
                    # More may have been noted meanwhile.
                    self._progress = dict(self._progress.items() - stored.items())
                    return

    def progress(self, seconds_done: float, seconds_total: float | None) -> None:
        """Note the progress. It is stored with the next change."""
        self._progress |= {"seconds_done": seconds_done, "seconds_total": seconds_total}

    @property
    def counted_ms(self) -> int:
        """Milliseconds of the recording, from its beginning, that have been counted towards the quota of sound."""
        return int(self._progress.get("counted_ms", self.clip.counted_ms))

    def count(self, until_ms: int) -> None:
        """Note that the recording is counted up to *until_ms*. It is stored with the next change."""
        self._progress["counted_ms"] = until_ms

    async def during(self, work: Coroutine[Any, Any, None]) -> None:
        """Run *work* while the claim is renewed; both end together.

        Raises:
            LeaseLost: another worker has the claim, or the clip was cancelled. *work* has been cancelled by then and
                has released its resources.
        """
        working, renewing = asyncio.create_task(work), asyncio.create_task(self._renew_until_ended())
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                renewing.result()
            await working
        finally:
            for task in (working, renewing):
                task.cancel()
            await asyncio.gather(working, renewing, return_exceptions=True)

    async def release(self) -> None:
        """Remove the claim, unless the work has ended, so that another worker can continue at once."""
        if self.clip.claim is not None:
            with suppress(LeaseLost, NotFound, StageFailed):
                await self.change(claim=None)

    async def _renew_until_ended(self) -> None:
        renewed = monotonic()
        while self.clip.claim is not None:
            await asyncio.sleep(min(self._rules.progress_seconds, self._rules.claim_seconds / RENEWALS))
            due = monotonic() - renewed >= self._rules.claim_seconds / RENEWALS
            if due or self._progress:
                with suppress(StageFailed):
                    await self.change()
                    renewed = monotonic()

    async def _still_ours(self) -> Clip:
        try:
            clip = await self._clips.get(self.clip.name)
        except NotFound as error:
            raise LeaseLost from error
        if clip.claim is None or clip.claim.worker != self._worker:
            raise LeaseLost
        return clip


async def acquire(name: ClipName, services: ClipServices) -> Lease | None:
    """The lease on a clip; None when the clip has ended, or when another worker renews its own lease.

    If another worker holds the lease, wait until it expires: this message may be the redelivery after that worker's
    crash, and acknowledging it early would strand the clip.

    Raises:
        NotFound: there is no such clip.
    """
    waited = False
    while True:
        clip, now = await services.clips.get(name), datetime.now(UTC)
        if clip.ended or (waited and clip.claimed_at(now)):
            return None
        if clip.claim is not None and clip.claim.until > now:
            await asyncio.sleep((clip.claim.until - now).total_seconds() + MARGIN_SECONDS)
            waited = True
            continue
        with suppress(Conflict):
            return await _start_attempt(clip, services)


async def give_up(name: ClipName, services: ClipServices) -> None:
    """Mark a clip as failed that no worker will process any more, unless it has ended or is claimed."""
    with suppress(NotFound):
        while not (clip := await services.clips.get(name)).ended and not clip.claimed_at(datetime.now(UTC)):
            with suppress(Conflict):
                await services.clips.replace(_exhausted(clip))


async def _start_attempt(clip: Clip, services: ClipServices) -> Lease | None:
    if clip.attempts >= services.rules.attempts:
        await services.clips.replace(_exhausted(clip))
        return None
    mine = _claim(uuid4().hex, services.rules.claim_seconds)
    return Lease(await services.clips.replace(clip.changed(claim=mine, attempts=clip.attempts + 1)), services)


def _claim(worker: str, seconds: float) -> ClipClaim:
    return ClipClaim(worker, datetime.now(UTC) + timedelta(seconds=seconds))


def _exhausted(clip: Clip) -> Clip:
    failure = Failure(
        "clip-attempts-exhausted", "All attempts to process this clip stopped before the end. Upload it as a new clip."
    )
    return clip.changed(status="failed", failure=failure, claim=None)
