"""Another rate for the same sound."""

from fractions import Fraction

import av
import numpy as np


class Resampler:
    """Changes the rate of one stream of 16-bit mono PCM, with a band limit that leaves no alias."""

    def __init__(self, rate: int, wanted: int) -> None:
        self._rate = rate
        self._swr = av.AudioResampler(format="s16", layout="mono", rate=wanted) if wanted != rate else None

    def resample(self, pcm: bytes) -> bytes:
        """The next sound at the wanted rate; some of it is held back for what follows."""
        if self._swr is None or not pcm:
            return pcm
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        return _pcm(self._swr.resample(frame))

    def flush(self) -> bytes:
        """What was held back; the stream is over."""
        return _pcm(self._swr.resample(None)) if self._swr is not None else b""


def _pcm(frames: list[av.AudioFrame]) -> bytes:
    return b"".join(frame.to_ndarray().tobytes() for frame in frames)
