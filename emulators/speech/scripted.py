"""Engines that cost nothing: words from the script, and a tone."""

import math
from array import array
from collections.abc import AsyncIterator
from functools import cache

from emulators.speech.engines import ENGINE_RATE, Heard, Word
from emulators.speech.pauses import LONGEST_PHRASE_SECONDS
from emulators.speech.voices import Voice

REVEALED_WORDS_PER_SECOND = 3.0
"""Pace at which scripted words turn up in interims."""
SECONDS_PER_WORD = 0.24
"""Of the tone: 250 words a minute, brisk speech."""
SHORTEST_SECONDS = 0.2
TONE_HERTZ = 440
TONE_LEVEL = 8_000


class ScriptedHearing:
    """Hears the words of *text*, whatever the sound; the last of them only at its end."""

    def __init__(self, text: str, rate: int) -> None:
        self._words = text.split()
        self._rate = rate
        self._samples = 0
        self._said = 0

    async def hear(self, pcm: bytes) -> str:
        self._samples += len(pcm) // 2
        revealed = min(int(self._samples / self._rate * REVEALED_WORDS_PER_SECOND), len(self._words) - 1)
        return " ".join(self._words[self._said : max(revealed, self._said)])

    async def finish(self) -> Heard:
        """All the words that are left, spread over the sound: a scripted turn is one phrase, but for its length."""
        words, self._said = self._words[self._said :], len(self._words)
        spacing = (self._samples / self._rate % LONGEST_PHRASE_SECONDS) / max(len(words), 1)
        spoken = tuple(Word(word, spacing * i, spacing) for i, word in enumerate(words))
        return Heard(spoken, display=" ".join(words), confidence=0.95)


class ToneSynthesizer:
    """Hums for as long as somebody would take to say the words."""

    async def speak(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        wave = _wave()
        samples = round(max(SHORTEST_SECONDS, SECONDS_PER_WORD * len(text.split())) * ENGINE_RATE)
        yield (wave * (samples // len(wave) + 1))[:samples].tobytes()


@cache
def _wave() -> "array[int]":
    """The fewest samples that can be repeated without a click."""
    period = ENGINE_RATE // math.gcd(ENGINE_RATE, TONE_HERTZ)
    steps = (math.tau * TONE_HERTZ * sample / ENGINE_RATE for sample in range(period))
    return array("h", (round(TONE_LEVEL * math.sin(step)) for step in steps))
