"""Conversion of PCM of any layout to that of recognition: mono, 16-bit, 16 kHz."""

from functools import cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from voice_core.audio.downmix import Downmix, Samples
from voice_core.audio.limits import MOST_LAYOUTS, Limits, changes_too_often
from voice_core.audio.pcm_layout import RawPcm
from voice_core.domain.audio import RECOGNITION_RATE

__all__ = ["Converter", "Resampler", "RunConverter", "Samples", "scaled"]

FULL_SCALE = 32_768
"""Full scale of 16-bit samples."""

LOUDEST = 16.0
"""Limit of float samples, in full scales: recorders use headroom above 1, but more than 24 dB of it is damage."""

RECOGNITION = RawPcm(rate=RECOGNITION_RATE)
"""The layout that all sound is converted to."""

LEAST_PER_SECOND = 200
"""Conversions a second, at most: pieces shorter than 5 ms are collected, since each conversion has a fixed cost."""

_SWR_OPTIONS = {"filter_size": "64", "internal_sample_fmt": "fltp"}
"""64 taps, and 32-bit float inside, keep aliases of tones from 9 kHz on below the 16-bit noise floor."""


class Resampler:
    """Resamples mono sound of any rate to 16-bit PCM at 16 kHz, while it arrives.

    The filter's delay is removed, and the result does not depend on how the sound was cut into pieces.
    """

    def __init__(self, rate: int) -> None:
        """*rate* of the input, hertz."""
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
        """The rest of the sound, from the filter. Afterwards the resampler cannot be used any more."""
        return self._pcm(None)

    def _pcm(self, frame: av.AudioFrame | None) -> bytes:
        return b"".join(piece.to_ndarray().tobytes() for piece in self._swr.resample(frame))


class Converter:
    """Converts PCM of one layout to mono 16-bit PCM at 16 kHz, while it arrives; pieces may be cut anywhere."""

    def __init__(self, layout: RawPcm) -> None:
        self._layout = layout
        self._least = layout.rate // LEAST_PER_SECOND * layout.frame_bytes
        self._rest = b""
        self._downmix = Downmix(layout.rate, layout.channels)
        self._resampler = Resampler(layout.rate)

    def feed(self, chunk: bytes) -> bytes:
        held = self._rest + chunk
        whole = len(held) - len(held) % self._layout.frame_bytes if len(held) >= self._least else 0
        self._rest = held[whole:]
        return self._converted(held[:whole])

    def align(self) -> None:
        """Drop the bytes of an incomplete sample: what comes next begins with a sample."""
        self._rest = self._rest[: len(self._rest) - len(self._rest) % self._layout.frame_bytes]

    def finish(self) -> bytes:
        """The end of the sound; bytes of an incomplete sample are dropped."""
        self.align()
        return self._converted(self._rest) + self._resampler.finish()

    def _converted(self, pcm: bytes) -> bytes:
        """Complete frames, in the layout of recognition."""
        if self._layout == RECOGNITION:
            return pcm
        frames = _decoded(pcm, self._layout.encoding).reshape(-1, self._layout.channels)
        return self._resampler.feed(self._downmix.mono(frames))


class RunConverter:
    """Converts samples of layouts that may change, in the same way."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._layout: RawPcm | None = None
        self._converter: Converter | None = None
        self._layouts = 0
        self._seconds = 0.0

    def feed(self, layout: RawPcm, samples: bytes) -> bytes:
        """The sound of *samples*; without any, the next ones begin another file.

        Raises:
            InvalidAudio: ``audio-unreadable``; the layout has changed too often.
            TooLarge: ``audio-too-long``.
        """
        self._seconds += layout.seconds(len(samples))
        self._limits.check_seconds(self._seconds)
        if self._converter is not None and layout == self._layout:
            if not samples:
                self._converter.align()
            return self._converter.feed(samples)
        tail = self.finish()
        self._layouts += 1
        if self._layouts > MOST_LAYOUTS:
            raise changes_too_often()
        self._layout, self._converter = layout, Converter(layout)
        return tail + self._converter.feed(samples)

    def finish(self) -> bytes:
        """The rest of the sound."""
        return self._converter.finish() if self._converter else b""


_ORDERS = {"le": "<", "be": ">"}
_KINDS = {"s": "i", "f": "f"}


def scaled(numbers: NDArray[Any]) -> Samples:
    """Samples of any dtype at full scale 1. NaN becomes 0, infinity 1; all are limited so that sums do not overflow."""
    floats: Samples
    with np.errstate(over="ignore", invalid="ignore"):
        floats = numbers.astype(np.float32)
    if numbers.dtype.kind == "f":
        return np.clip(np.nan_to_num(floats, copy=False, posinf=1.0, neginf=-1.0), -LOUDEST, LOUDEST)
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
    """The sample value of each of the 256 codes (ITU-T G.711)."""
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
