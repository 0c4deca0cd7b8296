"""Engines of the emulated service: recognition with fixed phrases, and synthesis of tones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from emulators.speech.engines import Engines, Recognition, RecognitionResult, Word
from emulators.speech.scripted_recognition import ToneSynthesizer

DICTATION = (("one two three", 0.9), ("four five", 0.6), ("six seven eight nine", 0.8))
"""The text and confidence of successive phrases; after the last one they start again."""


class DictationRecognition:
    """Recognises the next phrase of `DICTATION` at every pause."""

    def __init__(self) -> None:
        self._phrases = 0

    async def hear(self, pcm: bytes) -> str:
        return self._phrase[0].split()[0]

    async def finish(self) -> RecognitionResult:
        text, confidence = self._phrase
        self._phrases += 1
        words = tuple(Word(word, 0.0, 0.1) for word in text.split())
        return RecognitionResult(words, display=f"{text.capitalize()}.", confidence=confidence)

    @property
    def _phrase(self) -> tuple[str, float]:
        return DICTATION[self._phrases % len(DICTATION)]


class Dictation:
    """An engine for French and Japanese that recognises `DICTATION`, whatever the sound."""

    languages: tuple[str, ...] = ("fr-FR", "ja-JP")

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncIterator[Recognition]:
        yield DictationRecognition()

    async def close(self) -> None:
        pass


ENGINES = Engines(Dictation(), ToneSynthesizer())
