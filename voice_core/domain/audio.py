"""Mono 16-bit sound, and its sample rates."""

RECOGNITION_RATE = 16_000
"""Hertz of the sound for recognition: the rate that Azure Speech models are trained for."""

SPEECH_RATE = 24_000
"""Hertz of synthesized speech, and of headerless PCM whose rate is not declared."""

SAMPLE_BYTES = 2
"""Bytes a sample: signed 16-bit little-endian, one channel."""


def seconds(pcm_bytes: int, rate: int) -> float:
    """How long *pcm_bytes* of mono 16-bit PCM last at *rate* hertz."""
    return pcm_bytes / (SAMPLE_BYTES * rate)


def milliseconds(pcm_bytes: int, rate: int) -> int:
    """How long *pcm_bytes* of mono 16-bit PCM last, in whole milliseconds."""
    return round(seconds(pcm_bytes, rate) * 1000)
