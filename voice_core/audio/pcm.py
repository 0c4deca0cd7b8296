"""PCM of any layout, brought to what recognition hears: mono, 16-bit, 16 kHz."""

from functools import cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from voice_core.audio.raw import RawPcm
from voice_core.domain.audio import RECOGNITION_RATE

Samples = NDArray[np.float32]
"""Mono samples, shape (n,), full scale from -1 to 1."""

FULL_SCALE = 32_768
"""Of 16-bit samples."""

RECOGNITION = RawPcm(rate=RECOGNITION_RATE)
"""The layout that everything is brought to."""

_SWR_OPTIONS = {"filter_size": "64", "internal_sample_fmt": "fltp"}
"""64 taps, and 32-bit float inside, keep aliases of tones from 9 kHz on below the 16-bit noise floor."""


class Resampler:
    """Brings mono sound at any rate to 16-bit PCM at 16 kHz, as it comes.

    The filter's delay is taken out, and what comes out does not depend on how the sound was cut into pieces.
    """

    def __init__(self, rate: int) -> None:
        """*rate* of the sound that comes, hertz."""
        self._rate = rate
        self._swr = av.AudioResampler("s16", "mono", RECOGNITION_RATE, options=_SWR_OPTIONS)

    def feed(self, samples: Samples) -> bytes:
        if not samples.size:
            return b""
        if self._rate == RECOGNITION_RATE:
            return _quantised(samples)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = self._rate
        return self._pcm(frame)

    def finish(self) -> bytes:
        """What the filter still holds; afterwards the resampler is spent."""
        return self._pcm(None)

    def _pcm(self, frame: av.AudioFrame | None) -> bytes:
        return b"".join(piece.to_ndarray().tobytes() for piece in self._swr.resample(frame))


class Converter:
    """Brings PCM of one layout to mono 16-bit at 16 kHz, as it comes; pieces may be cut anywhere."""

    def __init__(self, layout: RawPcm) -> None:
        self._layout = layout
        self._rest = b""
        self._resampler = Resampler(layout.rate)

    def feed(self, chunk: bytes) -> bytes:
        held = self._rest + chunk
        whole = len(held) - len(held) % self._layout.frame_bytes
        self._rest = held[whole:]
        if self._layout == RECOGNITION:
            return held[:whole]
        return self._resampler.feed(samples(held[:whole], self._layout))

    def finish(self) -> bytes:
        """The end of the sound; bytes that make no whole sample are dropped."""
        return self._resampler.finish()


_ORDERS = {"le": "<", "be": ">"}
_KINDS = {"s": "i", "f": "f"}


def samples(pcm: bytes, layout: RawPcm) -> Samples:
    """Whole frames of *layout*, as mono samples."""
    return mono(_decoded(pcm, layout.encoding).reshape(-1, layout.channels))


def mono(frames: Samples) -> Samples:
    """The mean of all channels of *frames*, shape (n, channels): full scale stays full scale."""
    return frames.mean(axis=1, dtype=np.float32) if frames.shape[1] > 1 else frames[:, 0]


def scaled(numbers: NDArray[Any]) -> Samples:
    """Samples of any dtype at full scale 1; what is no number becomes one."""
    floats: Samples
    with np.errstate(over="ignore"):
        floats = numbers.astype(np.float32)
    if numbers.dtype.kind == "f":
        return np.nan_to_num(floats, copy=False, posinf=1.0, neginf=-1.0)
    half = np.float32(2.0 ** (8 * numbers.dtype.itemsize - 1))
    return (floats - half) / half if numbers.dtype.kind == "u" else floats / half


def _decoded(pcm: bytes, encoding: str) -> Samples:
    if encoding == "u8":
        return scaled(np.frombuffer(pcm, np.uint8))
    if encoding in ("alaw", "mulaw"):
        return _g711(encoding)[np.frombuffer(pcm, np.uint8)]
    kind, bits, order = encoding[0], int(encoding[1:3]), encoding[3:]
    if bits == 24:
        pcm, bits = _widened(pcm, order), 32
    numbers = np.frombuffer(pcm, f"{_ORDERS[order]}{_KINDS[kind]}{bits // 8}")
    return scaled(numbers)


def _widened(pcm: bytes, order: str) -> bytes:
    """24-bit samples with a zero byte added at their low end."""
    wide = np.zeros((len(pcm) // 3, 4), np.uint8)
    low = 1 if order == "le" else 0
    wide[:, low : low + 3] = np.frombuffer(pcm, np.uint8).reshape(-1, 3)
    return wide.tobytes()


def _quantised(samples: Samples) -> bytes:
    return np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes()


@cache
def _g711(encoding: str) -> Samples:
    """What each of the 256 codes stands for (ITU-T G.711)."""
    codes = np.arange(256)
    code = ~codes & 0xFF if encoding == "mulaw" else codes ^ 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    if encoding == "mulaw":
        size = ((mantissa << 3) + 132 << exponent) - 132
        sign = np.where(code & 0x80, -1, 1)
    else:
        size = np.where(exponent == 0, (mantissa << 4) + 8, (mantissa << 4) + 264 << np.maximum(exponent - 1, 0))
        sign = np.where(code & 0x80, 1, -1)
    table: Samples = (sign * size / FULL_SCALE).astype(np.float32)
    return table
