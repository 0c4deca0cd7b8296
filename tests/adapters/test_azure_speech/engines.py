"""Engines for the service under test: they know what was said without listening."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from emulators.speech.engines import Engines, Heard, Hearing, Word
from emulators.speech.scripted import ToneSynthesizer

DICTATION = (("one two three", 0.9), ("four five", 0.6), ("six seven eight nine", 0.8))
"""What is heard in the first phrases, and how surely; later ones begin again."""


class DictationHearing:
    """Hears the next phrase of the dictation at every pause."""

    def __init__(self) -> None:
        self._phrases = 0

    async def hear(self, pcm: bytes) -> str:
        return self._phrase[0].split()[0]

    async def finish(self) -> Heard:
        text, confidence = self._phrase
        self._phrases += 1
        words = tuple(Word(word, 0.0, 0.1) for word in text.split())
        return Heard(words, display=f"{text.capitalize()}.", confidence=confidence)

    @property
    def _phrase(self) -> tuple[str, float]:
        return DICTATION[self._phrases % len(DICTATION)]


class Dictation:
    """Recognises French and Japanese, whatever the sound."""

    languages: tuple[str, ...] = ("fr-FR", "ja-JP")

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncIterator[Hearing]:
        yield DictationHearing()

    async def close(self) -> None:
        pass


ENGINES = Engines(Dictation(), ToneSynthesizer())
