"""Whisper in a pool of processes: each transcribes one phrase at a time, after the phrase has ended."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from emulators.speech.engines import Recognition, RecognitionResult, Word, primary
from emulators.speech.pauses import Pauses
from emulators.speech.processes.pool import ProcessPool
from emulators.speech.resample import Resampler

COMMAND = ("-m", "emulators.speech.recognizers.whisper_worker")
TRANSCRIBE = b"T"
RATE = 16_000
"""Hertz of the model."""
PROCESSES = 2
"""One user's phrase does not wait for another's; the second process starts when a second user begins to speak."""
RESPONSE_SECONDS = 60.0
"""Longest time to a transcript of at most 30 s of sound; a process that takes longer counts as dead."""


class Whisper:
    """Recognises with *model*, a name or a path; without one, with tiny.en, which comes in a package.

    It has no interim results. A caller holds a process only while a phrase is transcribed, so a long recording does not
    keep others waiting.
    """

    def __init__(self, model: str = "", pool: ProcessPool | None = None) -> None:
        self.languages: tuple[str, ...] = () if model else ("en-US",)
        self.pool = pool or ProcessPool((*COMMAND, model) if model else COMMAND, PROCESSES, RESPONSE_SECONDS)

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncGenerator[Recognition]:
        with self.pool.expecting():
            yield WhisperRecognition(self.pool, rate, phrases, primary(language))

    async def close(self) -> None:
        await self.pool.close()


class WhisperRecognition:
    """The recognition of one stream: it collects a phrase, which a process transcribes."""

    def __init__(self, pool: ProcessPool, rate: int, phrases: tuple[str, ...], language: str) -> None:
        self._pool = pool
        self._rate = rate
        self._resampler = Resampler(rate, RATE)
        self._options = json.dumps({"language": language, "hotwords": ", ".join(phrases) or None}).encode()
        self._pauses = Pauses(rate)
        self._pcm = bytearray()

    async def hear(self, pcm: bytes) -> str:
        self._pauses.hear(pcm)
        self._pcm += self._resampler.resample(pcm)
        return ""

    async def finish(self) -> RecognitionResult:
        self._pcm += self._resampler.flush()
        speech = self._pauses.speech
        self._pauses.next_phrase()
        pcm, self._pcm, self._resampler = bytes(self._pcm), bytearray(), Resampler(self._rate, RATE)
        # Silence, as after the last phrase, takes as long as any phrase, and whisper finds words in it.
        if not speech:
            return RecognitionResult()
        found = json.loads(await self._pool.call(TRANSCRIBE, self._options + b"\n" + pcm))
        return RecognitionResult(tuple(Word(**word) for word in found["words"]), found["display"], found["confidence"])
