"""One worker at a time: a clip is claimed, and the claim renewed, with the version of its job."""

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
"""After the end of another's claim, before it is looked at again."""

RENEWALS = 4
"""Within the time a claim lasts: three may fail."""


class LeaseLost(Exception):
    """The clip is another worker's now, or its owner has cancelled it: stop, and touch nothing."""


class Lease:
    """The right to work on *clip*."""

    def __init__(self, clip: Clip, services: ClipServices) -> None:
        self.clip = clip
        self._worker = clip.claim.worker if clip.claim else ""
        self._clips = services.clips
        self._rules = services.rules
        self._writing = asyncio.Lock()
        self._progress: dict[str, Any] = {}

    async def change(self, **changes: Any) -> None:
        """Keep *changes* of the job, and with them the claim; nothing, when the work has ended.

        Raises:
            Lost: it is not ours any more.
        """
        async with self._writing:
            while self.clip.claim is not None:
                wanted = {"claim": _claim(self._worker, self._rules.claim_seconds)} | self._progress | changes
                try:
                    self.clip = await self._clips.replace(self.clip.changed(**wanted))
                except Conflict:
                    self.clip = await self._still_ours()
                else:
                    self._progress = {}
                    return

    def progress(self, seconds_done: float, seconds_total: float | None) -> None:
        """Note how far the work is; it is kept with the next change."""
        self._progress = {"seconds_done": seconds_done, "seconds_total": seconds_total}

    async def during(self, work: Coroutine[Any, Any, None]) -> None:
        """Do *work* while the claim is renewed; both end together.

        Raises:
            Lost: by another's claim or a cancellation; *work* has let go then.
        """
        working, keeping = asyncio.create_task(work), asyncio.create_task(self._keep())
        try:
            await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                keeping.result()
            await working
        finally:
            for task in (working, keeping):
                task.cancel()
            await asyncio.gather(working, keeping, return_exceptions=True)

    async def release(self) -> None:
        """Let others go on at once, where it did not end."""
        if self.clip.claim is not None:
            with suppress(LeaseLost, NotFound, StageFailed):
                await self.change(claim=None)

    async def _keep(self) -> None:
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
    """The lease on a clip that is to be worked on; None when it has ended, or somebody who lives is at it.

    Another's claim is waited for: who was told of the clip because that worker died must not leave before it is clear.

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
            return await _taken(clip, services)


async def give_up(name: ClipName, services: ClipServices) -> None:
    """Say that a clip failed which nobody will work on any more."""
    with suppress(NotFound):
        while not (clip := await services.clips.get(name)).ended and not clip.claimed_at(datetime.now(UTC)):
            with suppress(Conflict):
                await services.clips.replace(_exhausted(clip))


async def _taken(clip: Clip, services: ClipServices) -> Lease | None:
    if clip.attempts >= services.rules.attempts:
        await services.clips.replace(_exhausted(clip))
        return None
    mine = _claim(uuid4().hex, services.rules.claim_seconds)
    return Lease(await services.clips.replace(clip.changed(claim=mine, attempts=clip.attempts + 1)), services)


def _claim(worker: str, seconds: float) -> ClipClaim:
    return ClipClaim(worker, datetime.now(UTC) + timedelta(seconds=seconds))


def _exhausted(clip: Clip) -> Clip:
    why = Failure("clip-attempts-exhausted", "Work on this clip was begun again and again and never finished.")
    return clip.changed(status="failed", failure=why, claim=None)
