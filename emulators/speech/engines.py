"""The ports of recognition and synthesis engines."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from emulators.speech.refusals import RequestRefused
from emulators.speech.voices import Voice

ENGINE_RATE = 24_000
"""Hertz of a synthesizer's PCM, which is 16-bit mono."""


class EngineMissing(RequestRefused):
    """The requested engine is not installed, or its model is missing."""


class LanguageUnknown(RequestRefused):
    """The engine has no model of the requested language."""


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word."""

    text: str
    start: float
    """Seconds from the beginning of the phrase."""
    seconds: float
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class RecognitionResult:
    """The result of one phrase; without speech it has no words."""

    words: tuple[Word, ...] = ()
    display: str | None = None
    """The phrase with punctuation, if the engine provides it; otherwise it is made from the words."""
    confidence: float = 1.0

    @property
    def lexical(self) -> str:
        return " ".join(word.text for word in self.words)


class Recognition(Protocol):
    """The recognition of one audio stream, phrase after phrase."""

    async def hear(self, pcm: bytes) -> str:
        """Add 16-bit mono audio; returns the hypothesis for the phrase so far."""

    async def finish(self) -> RecognitionResult:
        """End the phrase and return its result; the next audio begins another."""


class Recognizer(Protocol):
    """An engine for speech to text."""

    @property
    def languages(self) -> tuple[str, ...]:
        """BCP 47 tags of the languages it recognises, the default first."""

    def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AbstractAsyncContextManager[Recognition]:
        """Recognise a stream of *rate* hertz in which *phrases* are likely. Leaving the context stops the work.

        Raises:
            LanguageUnknown: there is no model of *language*.
            EngineMissing: the engine is not installed.
        """

    async def close(self) -> None:
        """Stop all processes that were started for recognition."""


class Synthesizer(Protocol):
    """An engine for text to speech."""

    def speak(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        """The speech of *text* at `ENGINE_RATE`, in chunks of any number of complete samples.

        Raises:
            LanguageUnknown: the engine cannot speak the voice's language.
            EngineMissing: the engine is not installed.
        """

    def engine_of(self, voice: Voice) -> str:
        """The engine that speaks with *voice*, and its own voice if it has several."""

    async def close(self) -> None:
        """Stop all processes that were started for synthesis."""


def primary(language: str) -> str:
    """The language of a BCP 47 tag, such as ``en`` of ``en-US``."""
    return language.partition("-")[0].lower()


class Engines:
    """The engines of an emulator."""

    def __init__(self, recognizer: Recognizer, synthesizer: Synthesizer) -> None:
        self.recognizer = recognizer
        self.synthesizer = synthesizer

    async def close(self) -> None:
        await self.recognizer.close()
        await self.synthesizer.close()
