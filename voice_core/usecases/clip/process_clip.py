"""Process a clip: transcribe it and reply to it. Safe to call repeatedly, and from several workers at once."""

import asyncio

from voice_core import telemetry
from voice_core.domain.clip import ClipName, Failure
from voice_core.domain.errors import LimitReached, NotFound, VoiceError
from voice_core.usecases.clip.cancel_clip import remove
from voice_core.usecases.clip.clip_lease import Lease, LeaseLost, acquire
from voice_core.usecases.clip.reply_to_clip import reply_to_clip
from voice_core.usecases.clip.services import ClipServices
from voice_core.usecases.clip.transcribe_clip import transcribe_clip
from voice_core.usecases.clip.transcript_files import TRANSCRIPT, artefacts, parse_phrases


async def process_clip(name: ClipName, services: ClipServices) -> None:
    """Transcribe the clip and reply to it, continuing where an earlier attempt stopped.

    Processing a finished clip changes nothing. While one worker processes a clip, a second one waits until it is clear
    that the first is alive, and then returns.

    Raises:
        NotFound: there is no such clip.
        VoiceError: a transient error; process the clip again.
    """
    lease = await acquire(name, services)
    if lease is None:
        await _remove_if_cancelled(name, services)
        return
    try:
        await _attempt(lease, services)
    except LeaseLost:
        await _remove_if_cancelled(name, services)
    finally:
        await lease.release()


async def _attempt(lease: Lease, services: ClipServices) -> None:
    try:
        await lease.during(_work(lease, services))
    except VoiceError as error:
        # A limit resets too late for another attempt.
        transient = error.retryable and not isinstance(error, LimitReached)
        again = transient and lease.clip.attempts < services.rules.attempts
        _report(lease, "again" if again else "failed", error)
        if again:
            raise
        await lease.change(status="failed", failure=Failure.of(error), claim=None)
    else:
        _report(lease, "done")


def _report(lease: Lease, outcome: str, error: VoiceError | None = None) -> None:
    facts = {"clip": lease.clip.name.clip_id, "outcome": outcome, "attempt": lease.clip.attempts}
    telemetry.event("clip", facts | (telemetry.reason(error) if error else {}), user_id=lease.clip.user_id)


async def _work(lease: Lease, services: ClipServices) -> None:
    if not lease.clip.transcribed:
        await _transcribe(lease, services)
    if lease.clip.reply:
        phrases = parse_phrases(await services.artefacts.get(lease.clip.name, TRANSCRIPT))
        await reply_to_clip(lease, phrases, services)
    await lease.change(status="done", claim=None)


async def _transcribe(lease: Lease, services: ClipServices) -> None:
    name = lease.clip.name
    await services.audio_meter.check_audio(name.user_id)
    recording = await services.recordings.find(name)
    counted_ms = lease.clip.counted_ms if lease.clip.recording == recording.version else 0
    await lease.change(status="transcribing", recording=recording.version, counted_ms=counted_ms)
    done = await transcribe_clip(lease, recording, services)
    for artefact, data in (await asyncio.to_thread(artefacts, name.clip_id, done.phrases, done.duration_ms)).items():
        await services.artefacts.put(name, artefact, data)
    seconds = done.duration_ms / 1000
    if done.ended_by is not None:
        failure = Failure.of(done.ended_by)
        await lease.change(status="failed", failure=failure, claim=None, transcribed=True, seconds_done=seconds)
        raise done.ended_by
    await lease.change(status="replying", transcribed=True, seconds_done=seconds, seconds_total=seconds)


async def _remove_if_cancelled(name: ClipName, services: ClipServices) -> None:
    """Remove everything that was created or uploaded for the clip after its owner had cancelled it."""
    try:
        clip = await services.clips.get(name)
    except NotFound:
        return
    if clip.status == "cancelled":
        await remove(clip, services)
