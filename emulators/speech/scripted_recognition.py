"""Engines without computation: recognition of the script's words, and synthesis of a tone."""

import math
from array import array
from collections.abc import AsyncIterator
from functools import cache

from emulators.speech.engines import ENGINE_RATE, RecognitionResult, Word
from emulators.speech.pauses import LONGEST_PHRASE_SECONDS
from emulators.speech.voices import Voice

REVEALED_WORDS_PER_SECOND = 3.0
"""Pace at which scripted words appear in interim results."""
SECONDS_PER_WORD = 0.24
"""Length of the tone for each word: 250 words a minute, brisk speech."""
SHORTEST_SECONDS = 0.2
TONE_HERTZ = 440
TONE_LEVEL = 8_000


class ScriptedRecognition:
    """Recognises the words of *text* in any audio; the last word only at the end."""

    def __init__(self, text: str, rate: int) -> None:
        self._words = text.split()
        self._rate = rate
        self._samples = 0
        self._reported = 0

    async def hear(self, pcm: bytes) -> str:
        self._samples += len(pcm) // 2
        revealed = min(int(self._samples / self._rate * REVEALED_WORDS_PER_SECOND), len(self._words) - 1)
        return " ".join(self._words[self._reported : max(revealed, self._reported)])

    async def finish(self) -> RecognitionResult:
        """All remaining words, spread over the audio since the last full `LONGEST_PHRASE_SECONDS`."""
        words, self._reported = self._words[self._reported :], len(self._words)
        spacing = (self._samples / self._rate % LONGEST_PHRASE_SECONDS) / max(len(words), 1)
        spoken = tuple(Word(word, spacing * i, spacing) for i, word in enumerate(words))
        return RecognitionResult(spoken, display=" ".join(words), confidence=0.95)


class ToneSynthesizer:
    """Synthesises a tone that lasts as long as a speaker would take for the words."""

    async def speak(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        wave = _wave()
        samples = round(max(SHORTEST_SECONDS, SECONDS_PER_WORD * len(text.split())) * ENGINE_RATE)
        yield (wave * (samples // len(wave) + 1))[:samples].tobytes()

    def engine_of(self, voice: Voice) -> str:
        return "a tone"

    async def close(self) -> None:
        """Do nothing: no process was started."""


@cache
def _wave() -> "array[int]":
    """The shortest sequence of samples of the tone that can be repeated without a click."""
    period = ENGINE_RATE // math.gcd(ENGINE_RATE, TONE_HERTZ)
    steps = (math.tau * TONE_HERTZ * sample / ENGINE_RATE for sample in range(period))
    return array("h", (round(TONE_LEVEL * math.sin(step)) for step in steps))
