"""Mono 16-bit sound, and how fast it runs."""

from dataclasses import dataclass

RECOGNITION_RATE = 16_000
"""Hertz. What recognition hears: the rate Azure Speech models are trained for."""

SPEECH_RATE = 24_000
"""Hertz. What synthesis makes, and what headerless PCM is taken for."""

SAMPLE_BYTES = 2
"""Bytes a sample: signed 16-bit little-endian, one channel."""


def seconds(pcm_bytes: int, rate: int) -> float:
    """How long *pcm_bytes* of mono 16-bit PCM last at *rate* hertz."""
    return pcm_bytes / (SAMPLE_BYTES * rate)


def milliseconds(pcm_bytes: int, rate: int) -> int:
    """How long *pcm_bytes* of mono 16-bit PCM last, in whole milliseconds."""
    return round(seconds(pcm_bytes, rate) * 1000)


@dataclass(frozen=True, slots=True)
class Audio:
    """A piece of mono 16-bit little-endian PCM."""

    pcm: bytes
    rate: int = RECOGNITION_RATE
    """Hertz."""

    def __post_init__(self) -> None:
        if len(self.pcm) % SAMPLE_BYTES:
            raise ValueError("PCM must hold whole samples")

    @property
    def seconds(self) -> float:
        return seconds(len(self.pcm), self.rate)

    @property
    def duration_ms(self) -> int:
        return milliseconds(len(self.pcm), self.rate)
