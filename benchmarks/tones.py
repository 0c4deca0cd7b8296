"""Speech that differs from one reply to the next."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks import delays
from fakes.scripted_ports import CHUNK_SECONDS, ScriptedTts
from voice_core.domain.audio import SAMPLE_BYTES, SPEECH_RATE

TONES = 400, 800
"""Hertz of one reply, and of the next."""
LEVEL = 0.3


@dataclass
class ToneTts(ScriptedTts):
    """Synthesises a tone, which alternates from reply to reply."""

    def _chunks(self, text: str, number: int) -> list[bytes]:
        samples = round(len(text) * self.seconds_per_character * SPEECH_RATE)
        return _tone(TONES[number // len(delays.SENTENCES) % len(TONES)], samples)


@cache
def _tone(hertz: int, samples: int) -> list[bytes]:
    wave = np.sin(2 * np.pi * hertz * np.arange(samples) / SPEECH_RATE)
    pcm = (LEVEL * 32_767 * wave).astype("<i2").tobytes()
    step = round(CHUNK_SECONDS * SPEECH_RATE) * SAMPLE_BYTES
    return [pcm[start : start + step] for start in range(0, len(pcm), step)]
