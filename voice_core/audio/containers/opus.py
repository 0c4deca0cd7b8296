"""Limit of channels in an Opus stream (RFC 7845, 5.1; Encapsulation of Opus in ISO BMFF, 4.3.2)."""

from voice_core.domain.errors import UnsupportedFormat

_CHANNELS = ((b"OpusHead", 9), (b"dOps", 5))
"""Names of the header, in Ogg and Matroska and in MP4, and the offset of the channel count from the name."""

MOST_CHANNELS = 8
"""Most channels of the mappings for loudspeakers. A header may claim 255, and FFmpeg opens a decoder for each."""


def check_channels(head: bytes) -> None:
    """Refuse a file if a header in its *head* claims more than `MOST_CHANNELS`.

    Raises:
        UnsupportedFormat: ``audio-format-unsupported``.
    """
    for name, offset in _CHANNELS:
        at = head.find(name)
        while at >= 0:
            if head[at + offset : at + offset + 1] > bytes([MOST_CHANNELS]):
                detail = f"The recording has more than {MOST_CHANNELS} channels. Record in mono or stereo."
                raise UnsupportedFormat(detail, code="audio-format-unsupported")
            at = head.find(name, at + 1)
