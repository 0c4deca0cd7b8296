"""Detects the start of speech, before any provider is called and paid for."""

from collections import deque
from functools import cache

import numpy as np
from numpy.typing import NDArray

from voice_core.domain.audio import SAMPLE_BYTES

FRAME_SAMPLES = 320
"""20 ms: bins of 50 Hz."""

THRESHOLD_DB = -50.0
"""Level that a frame must reach, decibels of full scale (of a square wave); quiet speech has -40, a quiet room -60."""

LOUD_FRAMES, WINDOW_FRAMES = 4, 15
"""80 ms of sound within 300 ms: a syllable has that, a click or a bump of the microphone has not."""

_FRAME_BYTES = FRAME_SAMPLES * SAMPLE_BYTES
_BLOCK_BYTES = WINDOW_FRAMES * _FRAME_BYTES
"""Bytes measured at a time: speech mostly begins early in a long piece, and then the rest need not be measured."""
_SPEECH_BINS = slice(4, 80)
"""200 to 4,000 Hz: voices are in this band, mains hum, wind and DC are not."""

STEADY_DB = 3.0
"""White noise, smoothed over 60 ms, stays within this for seconds; speech leaves it within a syllable."""

FLATNESS = 0.3
"""Geometric mean divided by arithmetic mean of the power spectrum: 0.56 in frames of white noise, vowels under 0.1."""


class SpeechGate:
    """Opens when speech begins in mono 16-bit PCM at 16 kHz, and stays open.

    It stays closed for silence, hum, clicks, faint noise and the steady hiss of a microphone. Any other sound opens it,
    since it is worse to miss speech than to transcribe noise.
    """

    def __init__(self) -> None:
        self.opened = False
        self._rest = b""
        self._loud: deque[bool] = deque(maxlen=WINDOW_FRAMES)
        self._recent_db: deque[float] = deque(maxlen=3)
        self._quietest_db, self._loudest_db = float("inf"), float("-inf")
        self._hiss = self._frames = 0

    def feed(self, pcm: bytes) -> bool:
        """Take more sound; returns whether speech has begun."""
        if self.opened:
            return True
        held = self._rest + pcm
        whole = len(held) - len(held) % _FRAME_BYTES
        self._rest = held[whole:]
        blocks = (held[at : min(at + _BLOCK_BYTES, whole)] for at in range(0, whole, _BLOCK_BYTES))
        self.opened = any(map(self._begins, blocks))
        return self.opened

    def _begins(self, frames: bytes) -> bool:
        """Whether speech begins in *frames*, complete ones."""
        return any(self._hear(float(level), float(flatness)) for level, flatness in zip(*measured(frames), strict=True))

    def _hear(self, level_db: float, flatness: float) -> bool:
        loud = level_db >= THRESHOLD_DB
        self._loud.append(loud)
        if loud:
            self._follow(level_db, flatness)
        return sum(self._loud) >= LOUD_FRAMES and not self._hisses()

    def _follow(self, level_db: float, flatness: float) -> None:
        self._frames += 1
        self._hiss += flatness > FLATNESS
        self._recent_db.append(level_db)
        smoothed = sum(self._recent_db) / len(self._recent_db)
        if len(self._recent_db) == self._recent_db.maxlen:
            self._quietest_db = min(self._quietest_db, smoothed)
            self._loudest_db = max(self._loudest_db, smoothed)

    def _hisses(self) -> bool:
        """Whether all loud frames so far are as flat and as steady as noise."""
        return self._loudest_db - self._quietest_db < STEADY_DB and self._hiss > 0.9 * self._frames


@cache
def _window() -> NDArray[np.float64]:
    return np.hanning(FRAME_SAMPLES)


def measured(pcm: bytes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Level (decibels below full scale) and flatness of the speech band of each frame."""
    frames = np.frombuffer(pcm, "<i2").reshape(-1, FRAME_SAMPLES) / 32_768.0
    window = _window()
    power = np.abs(np.fft.rfft(frames * window)[:, _SPEECH_BINS]) ** 2 + 1e-12
    # Parseval: two-sided power over the window's own, so that a sine gives its mean square.
    mean_square = 2 * power.sum(axis=1) / (FRAME_SAMPLES * np.sum(window**2))
    return 10 * np.log10(mean_square), np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
