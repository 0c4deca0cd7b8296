"""Resampling of PCM."""

from fractions import Fraction

import av
import numpy as np


class Resampler:
    """Changes the sample rate of one stream of 16-bit mono PCM, band-limited to avoid aliasing."""

    def __init__(self, rate: int, target_rate: int) -> None:
        self._rate = rate
        self._swr = av.AudioResampler(format="s16", layout="mono", rate=target_rate) if target_rate != rate else None

    def resample(self, pcm: bytes) -> bytes:
        """Convert audio to the target rate; the last samples are buffered for the next call."""
        if self._swr is None or not pcm:
            return pcm
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        return _pcm(self._swr.resample(frame))

    def flush(self) -> bytes:
        """Return the buffered samples at the end of the stream."""
        return _pcm(self._swr.resample(None)) if self._swr is not None else b""


def _pcm(frames: list[av.AudioFrame]) -> bytes:
    return b"".join(frame.to_ndarray().tobytes() for frame in frames)
