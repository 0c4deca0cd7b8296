"""Hear a recording of any length: in segments, several at a time, each kept as soon as it is heard."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from hashlib import sha256
from typing import Any

from voice_core.audio.ranged_decoder import LargeSound
from voice_core.audio.segments import Segment, Segmenter
from voice_core.domain.audio import RECOGNITION_RATE, seconds
from voice_core.domain.clip import Recording
from voice_core.domain.errors import NoSpeech
from voice_core.domain.speech import TimedPhrase, Transcript
from voice_core.usecases.clip.clip_lease import Lease
from voice_core.usecases.clip.services import ClipServices
from voice_core.usecases.clip.transcript_files import moved, read, written
from voice_core.usecases.resilience.deadlines import Deadline
from voice_core.usecases.resilience.retry import retry
from voice_core.usecases.turn.listen import listen

SLICE_BYTES = 65_536
"""Of PCM that is handed on at a time, so that others get their turn."""


async def transcribe_clip(
    lease: Lease, recording: Recording, services: ClipServices
) -> tuple[Sequence[TimedPhrase], int]:
    """All that is said in *recording*, and how long it lasts in milliseconds.

    Segments that an earlier attempt at the same version has heard are not heard again.

    Raises:
        NoSpeech: nobody speaks in it.
        InvalidAudio, UnsupportedFormat: it cannot be read.
        NotFound, Conflict: it is gone, or another one now.
        StageFailed: with stage ``stt``, ``storage`` or ``clips``. Segments under way are heard to their end first.
    """
    segments = _Segments(lease, recording, services)
    names, duration_ms = await segments.hear_all()
    artefacts = services.artefacts
    phrases = [phrase for name in names for phrase in read(await artefacts.get(recording.name, name))]
    if not phrases:
        raise NoSpeech("Nobody speaks in this recording.", stage="stt")
    return phrases, duration_ms


class _Segments:
    """The segments of one version of a recording, on their way to text."""

    def __init__(self, lease: Lease, recording: Recording, services: ClipServices) -> None:
        self._lease = lease
        self._recording = recording
        self._company = services
        self._folder = f"segments-{sha256(recording.version.encode()).hexdigest()[:16]}/"
        self._sound = LargeSound(
            recording.size_bytes, partial(services.recordings.read, recording), services.rules.limits
        )
        self._crew = TaskPool(services.rules.at_once)
        self._done_seconds = self._decoded_seconds = 0.0

    async def hear_all(self) -> tuple[Sequence[str], int]:
        """The names of what was heard, in order, and how long the recording lasts in milliseconds."""
        known = set(await self._company.artefacts.names(self._recording.name, self._folder))
        names, end_ms = [], 0
        try:
            async with aclosing(self._cut()) as segments:
                async for segment in segments:
                    end_ms = segment.end_ms
                    names.append(f"{self._folder}{segment.start_ms:09}-{end_ms:09}.json")
                    if names[-1] in known:
                        self._note(segment)
                    else:
                        await self._crew.begin(self._hear(names[-1], segment))
            await self._crew.finish()
        finally:
            await self._crew.aclose()
        return names, end_ms

    async def _cut(self) -> AsyncGenerator[Segment]:
        segmenter = Segmenter(self._company.rules.segment_seconds)
        async with aclosing(self._sound.pcm()) as sound:
            async for pcm in sound:
                self._decoded_seconds += seconds(len(pcm), RECOGNITION_RATE)
                for segment in segmenter.feed(pcm):
                    yield segment
        for segment in segmenter.finish():
            yield segment

    async def _hear(self, name: str, segment: Segment) -> None:
        rules = self._company.rules
        heard = await retry(
            partial(self._heard, segment),
            retries=self._company.retries,
            tries=rules.tries,
            pause_seconds=rules.pause_seconds,
        )
        await self._company.artefacts.put(self._recording.name, name, written(heard))
        heard_ms = segment.end_ms - segment.start_ms
        await self._company.audio_meter.charge(self._recording.name.user_id, heard_ms)
        self._note(segment)

    async def _heard(self, segment: Segment) -> Sequence[TimedPhrase]:
        hints, services = self._lease.clip.hints, self._company
        final = Deadline("stt", services.rules.stt_seconds)
        try:
            async with aclosing(listen(_slices(segment.pcm), hints, stt=services.stt, final=final)) as hearing:
                async for item in hearing:
                    if isinstance(item, Transcript):
                        return [moved(phrase, segment.start_ms, item.language) for phrase in item.phrases]
        except NoSpeech:
            return ()
        return ()

    def _note(self, segment: Segment) -> None:
        self._done_seconds += seconds(len(segment.pcm), RECOGNITION_RATE)
        total = self._sound.seconds
        self._lease.progress(self._done_seconds, max(total, self._decoded_seconds) if total else None)


class TaskPool:
    """Some tasks at once, no more than *size*. When one fails, none begins any more, and the others may finish."""

    def __init__(self, size: int) -> None:
        self._free = asyncio.Semaphore(size)
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin *work* when there is room; if another has failed by then, raise that when all have ended."""
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
        self._tasks = [known for known in self._tasks if not known.done()]
        self._tasks.append(task)

    async def finish(self) -> None:
        """Wait for all, and raise what one of them raised."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        for task in self._tasks:
            task.result()

    async def aclose(self) -> None:
        """Stop all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _slices(pcm: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(pcm), SLICE_BYTES):
        yield pcm[start : start + SLICE_BYTES]
