"""Transcribe a recording of any length: in segments, several at a time, each stored as soon as it is transcribed."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from voice_core.audio.ranged_decoder import LargeSound
from voice_core.audio.segments import Segment, Segmenter
from voice_core.domain.audio import RECOGNITION_RATE, seconds
from voice_core.domain.clip import Recording
from voice_core.domain.errors import LimitReached, NoSpeech
from voice_core.domain.speech import TimedPhrase, Transcript
from voice_core.usecases.clip.clip_lease import Lease
from voice_core.usecases.clip.services import ClipServices
from voice_core.usecases.clip.transcript_files import dump_phrases, parse_phrases, shifted
from voice_core.usecases.resilience.deadlines import Deadline
from voice_core.usecases.resilience.retry import retry
from voice_core.usecases.turn.listen import listen

SLICE_BYTES = 65_536
"""PCM sent to recognition at a time, so that other tasks of the event loop get to run."""


@dataclass(frozen=True, slots=True)
class Transcription:
    """The result of transcribing a recording."""

    phrases: Sequence[TimedPhrase]
    duration_ms: int
    """Length of the sound that was transcribed."""
    ended_by: LimitReached | None
    """Set when the owner's daily quota ended it before the end of the recording."""


async def transcribe_clip(lease: Lease, recording: Recording, services: ClipServices) -> Transcription:
    """Transcribe *recording* to its end, or as far as its owner's daily quota of sound allows.

    Segments that an earlier attempt at the same version of the recording has transcribed are not transcribed again.

    Raises:
        LimitReached: the quota allows nothing of it.
        NoSpeech: there is no speech in it.
        InvalidAudio, UnsupportedFormat: it cannot be decoded.
        NotFound, Conflict: it has been deleted, or replaced.
        StageFailed: with stage ``stt``, ``storage`` or ``clips``. Segments in progress are completed first.
    """
    segments = _Segments(lease, recording, services)
    names, duration_ms = await segments.transcribe_all()
    artefacts = services.artefacts
    phrases = [phrase for name in names for phrase in parse_phrases(await artefacts.get(recording.name, name))]
    if not phrases:
        raise segments.ended_by or NoSpeech("No speech was found in this recording.", stage="stt")
    return Transcription(phrases, duration_ms, segments.ended_by)


class _Segments:
    """The transcription of one version of a recording, segment by segment."""

    def __init__(self, lease: Lease, recording: Recording, services: ClipServices) -> None:
        self._lease = lease
        self._recording = recording
        self._services = services
        self._folder = f"segments-{sha256(recording.version.encode()).hexdigest()[:16]}/"
        self._sound = LargeSound(
            recording.size_bytes,
            partial(services.recordings.read, recording),
            services.rules.limits,
            services.containers(recording.name.user_id),
        )
        self._pool = TaskPool(services.rules.at_once)
        self._done_seconds = self._decoded_seconds = 0.0
        self.ended_by: LimitReached | None = None

    async def transcribe_all(self) -> tuple[Sequence[str], int]:
        """The names of the segments' files, in order, and the length of their sound in milliseconds."""
        stored = set(await self._services.artefacts.names(self._recording.name, self._folder))
        names, end_ms = [], 0
        try:
            async with aclosing(self._segments()) as segments:
                async for segment in segments:
                    name = f"{self._folder}{segment.start_ms:09}-{segment.end_ms:09}.json"
                    if name in stored:
                        self._report_progress(segment)
                    elif await self._counted(segment):
                        await self._pool.start(self._transcribe_and_store(name, segment))
                    else:
                        break
                    names.append(name)
                    end_ms = segment.end_ms
            await self._pool.finish()
        finally:
            await self._pool.aclose()
        return names, end_ms

    async def _counted(self, segment: Segment) -> bool:
        """Count *segment* before it is recognised, unless an earlier attempt has; False when the quota is used up.

        Segments are counted in order, so that those before the end of the quota are a part without gaps.
        """
        uncounted_ms = segment.end_ms - max(segment.start_ms, self._lease.counted_ms)
        if uncounted_ms <= 0:
            return True
        try:
            await self._services.audio_meter.admit_audio(self._recording.name.user_id, uncounted_ms)
        except LimitReached as error:
            self.ended_by = error
            return False
        self._lease.count(segment.end_ms)
        return True

    async def _segments(self) -> AsyncGenerator[Segment]:
        segmenter = Segmenter(self._services.rules.segment_seconds)
        async with aclosing(self._sound.pcm()) as sound:
            async for pcm in sound:
                self._decoded_seconds += seconds(len(pcm), RECOGNITION_RATE)
                for segment in segmenter.feed(pcm):
                    yield segment
        for segment in segmenter.finish():
            yield segment

    async def _transcribe_and_store(self, name: str, segment: Segment) -> None:
        rules = self._services.rules
        phrases = await retry(
            partial(self._transcribe, segment),
            retries=self._services.retries,
            tries=rules.tries,
            pause_seconds=rules.pause_seconds,
        )
        await self._services.artefacts.put(self._recording.name, name, dump_phrases(phrases))
        self._report_progress(segment)

    async def _transcribe(self, segment: Segment) -> Sequence[TimedPhrase]:
        hints, services = self._lease.clip.hints, self._services
        final = Deadline("stt", services.rules.stt_seconds)
        try:
            async with aclosing(listen(_slices(segment.pcm), hints, stt=services.stt, final=final)) as items:
                async for item in items:
                    if isinstance(item, Transcript):
                        return [shifted(phrase, segment.start_ms, item.language) for phrase in item.phrases]
        except NoSpeech:
            return ()
        return ()

    def _report_progress(self, segment: Segment) -> None:
        self._done_seconds += seconds(len(segment.pcm), RECOGNITION_RATE)
        total = self._sound.seconds
        self._lease.progress(self._done_seconds, max(total, self._decoded_seconds) if total else None)


class TaskPool:
    """Runs up to *size* tasks at once. When one fails, no more are started, and those that run may finish."""

    def __init__(self, size: int) -> None:
        self._free = asyncio.Semaphore(size)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start *work* when there is room. If another task has failed by then, wait for all and raise its error."""
        try:
            await self._free.acquire()
        except BaseException:
            work.close()
            raise
        if any(task.done() and task.exception() for task in self._tasks):
            work.close()
            await self.finish()
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._free.release())
        self._tasks = [running for running in self._tasks if not running.done()]
        self._tasks.append(task)

    async def finish(self) -> None:
        """Wait for all tasks, and raise the error of one that failed."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        for task in self._tasks:
            task.result()

    async def aclose(self) -> None:
        """Cancel all tasks and wait for them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _slices(pcm: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(pcm), SLICE_BYTES):
        yield pcm[start : start + SLICE_BYTES]
