"""faster-whisper, an optional engine: it needs the package and a downloaded model."""

import asyncio
import importlib
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any

import numpy as np

from emulators.speech.engines import EngineMissing, Recognition, RecognitionResult, Word, primary
from emulators.speech.resample import Resampler

RATE = 16_000
"""Hertz of the model."""


class Whisper:
    """Recognises with *model*, a name or a path; it has no interim results, and transcribes a phrase after its end."""

    languages: tuple[str, ...] = ()

    def __init__(self, model: str) -> None:
        self._name = model

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncGenerator[Recognition]:
        model = await asyncio.to_thread(lambda: self._model)
        yield _WhisperRecognition(model, rate, phrases, primary(language))

    async def close(self) -> None:
        """Do nothing: no process was started."""

    @cached_property
    def _model(self) -> Any:
        try:
            whisper = importlib.import_module("faster_whisper")
        except ImportError as error:
            raise EngineMissing(
                "SPEECH_STT_ENGINE=faster-whisper needs it installed: pip install faster-whisper"
            ) from error
        return whisper.WhisperModel(self._name, compute_type="int8")


class _WhisperRecognition:
    def __init__(self, model: Any, rate: int, phrases: tuple[str, ...], language: str) -> None:
        self._model = model
        self._rate = rate
        self._resampler = Resampler(rate, RATE)
        self._hotwords = ", ".join(phrases) or None
        self._language = language
        self._pcm = bytearray()

    async def hear(self, pcm: bytes) -> str:
        self._pcm += self._resampler.resample(pcm)
        return ""

    async def finish(self) -> RecognitionResult:
        self._pcm += self._resampler.flush()
        pcm, self._pcm, self._resampler = bytes(self._pcm), bytearray(), Resampler(self._rate, RATE)
        return await asyncio.to_thread(self._transcribe, pcm)

    def _transcribe(self, pcm: bytes) -> RecognitionResult:
        samples = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768
        found, _ = self._model.transcribe(
            samples, language=self._language, word_timestamps=True, hotwords=self._hotwords
        )
        segments = list(found)
        words = tuple(
            Word(word.word.strip(" .,!?").lower(), word.start, word.end - word.start, word.probability)
            for segment in segments
            for word in segment.words
        )
        display = "".join(segment.text for segment in segments).strip()
        confidence = math.exp(min((segment.avg_logprob for segment in segments), default=-math.inf))
        return RecognitionResult(words, display, confidence)
