"""Engines of tests that are chosen by availability: scripted processes, and a fixed text and a tone beside them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from emulators.speech.chosen_engines import ChosenEngines, ChosenRecognizer, ChosenSynthesizer
from emulators.speech.engines import Recognition, RecognitionResult, Word
from emulators.speech.processes.availability import Availability
from emulators.speech.recognizers.whisper import Whisper
from emulators.speech.scripted_recognition import ToneSynthesizer
from emulators.speech.synthesizers.hibari import Hibari
from tests.emulators.scripted_engine import pool

LIGHT = "Engines: a fixed text recognises, a tone speaks."
NEURAL = "Engines: scripted engine recognises, hibari heart speaks (other voices: a tone)."
FIXED = "fixed words"


class FixedRecognizer:
    """Recognises `FIXED` in any sound and in any language, without interims."""

    languages: tuple[str, ...] = ("en-US", "fr-FR")

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncIterator[Recognition]:
        yield FixedRecognition()

    async def close(self) -> None:
        """Nothing was started."""


class FixedRecognition:
    async def hear(self, pcm: bytes) -> str:
        return ""

    async def finish(self) -> RecognitionResult:
        return RecognitionResult((Word(FIXED, 0.0, 0.1),), display=FIXED)


def scripted_engines(*, required: bool = False, **options: Any) -> ChosenEngines:
    """A fixed text and tones as light engines, and scripted processes with *options* as neural ones."""
    recognizing, speaking = pool(**options), pool(**options)
    hears = Availability(recognizing, "whisper", required=required)
    speaks = Availability(speaking, "hibari", required=required)
    return ChosenEngines(
        ChosenRecognizer(FixedRecognizer(), "a fixed text", Whisper(pool=recognizing), hears),
        ChosenSynthesizer(ToneSynthesizer(), Hibari(speaking), speaks),
    )
