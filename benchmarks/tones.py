"""Speech that can be told from the speech before it."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks import delays
from tests.scripted import CHUNK_SECONDS, ScriptedTts
from voice_core.domain.audio import SAMPLE_BYTES, SPEECH_RATE

TONES = 400, 800
"""Hertz: those of one reply, and of the next."""
LEVEL = 0.3


@dataclass
class ToneTts(ScriptedTts):
    """As its base, but what it speaks is a tone, another one in every other reply."""

    def _chunks(self, text: str, number: int) -> list[bytes]:
        samples = round(len(text) * self.seconds_per_character * SPEECH_RATE)
        return _tone(TONES[number // len(delays.SENTENCES) % len(TONES)], samples)


@cache
def _tone(hertz: int, samples: int) -> list[bytes]:
    wave = np.sin(2 * np.pi * hertz * np.arange(samples) / SPEECH_RATE)
    pcm = (LEVEL * 32_767 * wave).astype("<i2").tobytes()
    step = round(CHUNK_SECONDS * SPEECH_RATE) * SAMPLE_BYTES
    return [pcm[start : start + step] for start in range(0, len(pcm), step)]
