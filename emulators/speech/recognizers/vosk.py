"""Vosk, an optional engine: it needs the package and a downloaded model."""

import asyncio
import importlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any

from emulators.speech.engines import EngineMissing, Recognition, RecognitionResult, Word


class Vosk:
    """Recognises the language of *model*, a path to its folder, whatever language is requested."""

    languages: tuple[str, ...] = ()

    def __init__(self, model: str) -> None:
        self._path = model

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncGenerator[Recognition]:
        vosk, model = await asyncio.to_thread(lambda: self._loaded)
        recognizer = vosk.KaldiRecognizer(model, rate)
        recognizer.SetWords(True)
        yield _VoskRecognition(recognizer)

    async def close(self) -> None:
        """Do nothing: no process was started."""

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        try:
            vosk = importlib.import_module("vosk")
        except ImportError as error:
            raise EngineMissing("SPEECH_STT_ENGINE=vosk needs it installed: pip install vosk") from error
        return vosk, vosk.Model(self._path)


class _VoskRecognition:
    def __init__(self, recognizer: Any) -> None:
        self._recognizer = recognizer
        self._words: list[Word] = []

    async def hear(self, pcm: bytes) -> str:
        if await asyncio.to_thread(self._recognizer.AcceptWaveform, pcm):
            self._words += _words(self._recognizer.Result())
        partial = json.loads(self._recognizer.PartialResult())["partial"]
        return " ".join([*(word.text for word in self._words), *partial.split()])

    async def finish(self) -> RecognitionResult:
        words = [*self._words, *_words(await asyncio.to_thread(self._recognizer.FinalResult))]
        self._words = []
        return RecognitionResult(tuple(words), confidence=min((word.confidence for word in words), default=0.0))


def _words(result: str) -> list[Word]:
    return [Word(w["word"], w["start"], w["end"] - w["start"], w["conf"]) for w in json.loads(result).get("result", [])]
