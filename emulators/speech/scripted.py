"""Engines that cost nothing: words from the script, and a tone."""

import math
from array import array
from collections.abc import AsyncIterator

from emulators.speech.engines import ENGINE_RATE, Heard, Word
from emulators.speech.voices import Voice

WORDS_PER_SECOND = 3.0
"""Pace at which scripted words turn up in interims."""
CHARACTERS_PER_SECOND = 15.0
"""Pace of ordinary speech: how long the tone of a text lasts."""
TONE_HERTZ = 440
TONE_LEVEL = 8_000


class ScriptedHearing:
    """Hears the words of *text*, whatever the sound; the last of them only at its end."""

    def __init__(self, text: str, rate: int) -> None:
        self._words = text.split()
        self._rate = rate
        self._samples = 0
        self._phrase_start = 0
        self._said = 0

    async def hear(self, pcm: bytes) -> str:
        self._samples += len(pcm) // 2
        revealed = min(int(self._samples / self._rate * WORDS_PER_SECOND), len(self._words) - 1)
        return " ".join(self._words[self._said : max(revealed, self._said)])

    async def finish(self) -> Heard:
        """All the words that are left: a scripted turn is one phrase."""
        words, self._said = self._words[self._said :], len(self._words)
        spacing = (self._samples / self._rate) / max(len(words), 1)
        spoken = tuple(Word(word, spacing * i, spacing) for i, word in enumerate(words))
        return Heard(spoken, display=" ".join(words), confidence=0.95)


def tone_seconds(text: str) -> float:
    return max(0.2, len(text) / CHARACTERS_PER_SECOND)


class ToneSynthesizer:
    """Hums for as long as the words would take."""

    async def speak(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        period = ENGINE_RATE // math.gcd(ENGINE_RATE, TONE_HERTZ)
        wave = array(
            "h", (round(TONE_LEVEL * math.sin(math.tau * TONE_HERTZ * i / ENGINE_RATE)) for i in range(period))
        )
        samples = round(tone_seconds(text) * ENGINE_RATE)
        yield (wave * (samples // period + 1))[:samples].tobytes()
