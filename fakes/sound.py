"""Computed sound for tests."""

import math
from array import array

from voice_core.domain.audio import RECOGNITION_RATE


def voice_like(seconds: float = 1.0, rate: int = RECOGNITION_RATE, level: float = 0.3) -> bytes:
    """Mono 16-bit PCM with the harmonics and the syllable rhythm of a voice, but no words."""
    samples = array("h")
    for n in range(round(seconds * rate)):
        t = n / rate
        syllable = 0.55 + 0.45 * math.sin(2 * math.pi * 4 * t)
        harmonics = sum(math.sin(2 * math.pi * 140 * k * t) / k for k in range(1, 12))
        samples.append(round(16_000 * level * syllable * harmonics / 2))
    return samples.tobytes()


def silence(seconds: float, rate: int = RECOGNITION_RATE) -> bytes:
    """Mono 16-bit PCM that is all zeros."""
    return bytes(2 * round(seconds * rate))
