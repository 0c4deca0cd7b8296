"""What this emulator needs of an engine that recognises or synthesises."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from emulators.speech.refusals import Refused
from emulators.speech.voices import Voice

ENGINE_RATE = 24_000
"""Hertz of the PCM a synthesizer makes: 16-bit, mono."""


class EngineMissing(Refused):
    """The engine asked for is not installed, or its model is not where it should be."""


class LanguageUnknown(Refused):
    """The engine has no model of that language."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word that was heard."""

    text: str
    start: float
    """Seconds from where the phrase began."""
    seconds: float
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in one phrase; no words, no speech."""

    words: tuple[Word, ...] = ()
    display: str | None = None
    """The phrase as it is written, when the engine knows; otherwise it is made of the words."""
    confidence: float = 1.0

    @property
    def lexical(self) -> str:
        return " ".join(word.text for word in self.words)


class Hearing(Protocol):
    """One stream of sound being recognised, phrase after phrase."""

    async def hear(self, pcm: bytes) -> str:
        """Take the next 16-bit mono sound; gives the hypothesis of the phrase so far."""

    async def finish(self) -> Heard:
        """End the phrase, and be ready for the next."""


class Recognizer(Protocol):
    """An engine that turns sound into words."""

    languages: tuple[str, ...]
    """BCP 47 tags of what it recognises; the first is its own choice."""

    def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AbstractAsyncContextManager[Hearing]:
        """Listen to a stream of *rate* hertz in which *phrases* are likely. Leaving it stops the work.

        Raises:
            LanguageUnknown: no model of *language*.
            EngineMissing: not installed.
        """

    async def close(self) -> None:
        """End what was started to recognise."""


class Synthesizer(Protocol):
    """An engine that turns words into sound."""

    def speak(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        """Speak *text*: chunks of any whole number of samples at `ENGINE_RATE`.

        Raises:
            LanguageUnknown: it cannot speak the voice's language.
            EngineMissing: not installed.
        """


def primary(language: str) -> str:
    """The language of a BCP 47 tag, as ``en`` of ``en-US``."""
    return language.partition("-")[0].lower()


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines an emulator works with."""

    recognizer: Recognizer
    synthesizer: Synthesizer
