"""The sample layout of headerless PCM."""

from collections.abc import Mapping
from dataclasses import dataclass

from voice_core.domain.audio import SPEECH_RATE
from voice_core.domain.errors import UnsupportedFormat

ENCODINGS: Mapping[str, int] = {
    "u8": 1,
    "alaw": 1,
    "mulaw": 1,
    "s16le": 2,
    "s16be": 2,
    "s24le": 3,
    "s24be": 3,
    "s32le": 4,
    "s32be": 4,
    "f32le": 4,
    "f32be": 4,
    "f64le": 8,
    "f64be": 8,
}
"""Bytes a sample, by encoding."""

LOWEST_RATE, HIGHEST_RATE = 4_000, 192_000
"""Hertz: lower rates cannot hold speech, and no microphone has higher ones."""

MAX_CHANNELS = 8


@dataclass(frozen=True, slots=True)
class RawPcm:
    """The layout of PCM samples; channels are interleaved.

    Raises:
        UnsupportedFormat: ``audio-format-unsupported``; a layout that we cannot read.
    """

    rate: int = SPEECH_RATE
    """Hertz."""
    channels: int = 1
    encoding: str = "s16le"
    """One of ENCODINGS."""

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise _unsupported(f"The PCM encoding {self.encoding!r} is none of {', '.join(ENCODINGS)}.")
        check_sound(self.rate, self.channels)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample on every channel."""
        return ENCODINGS[self.encoding] * self.channels

    def seconds(self, pcm_bytes: int) -> float:
        """How long *pcm_bytes* of this layout last."""
        return pcm_bytes / (self.frame_bytes * self.rate)


def check_sound(rate: int, channels: int) -> None:
    """Refuse rates (hertz) and channel counts that no microphone delivers.

    Raises:
        UnsupportedFormat: ``audio-format-unsupported``.
    """
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise _unsupported(f"The sample rate must be between {LOWEST_RATE} and {HIGHEST_RATE} Hz, not {rate}.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise _unsupported(f"The number of channels must be between 1 and {MAX_CHANNELS}, not {channels}.")


def _unsupported(detail: str) -> UnsupportedFormat:
    return UnsupportedFormat(detail, code="audio-format-unsupported")
