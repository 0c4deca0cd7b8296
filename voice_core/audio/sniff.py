"""Recognises audio formats by their bytes, not by names or media types."""

from collections.abc import Callable
from itertools import pairwise

from voice_core.audio.containers.tags import id3_bytes

MAGIC_BYTES = 64
"""Bytes from which every container is recognised, except bare streams of frames."""

FRAMES_BYTES = 8_192
"""Bytes that hold four frames of MPEG audio, the longest of 1,729 bytes, and of any AAC that a phone makes."""

ACCEPTED = "wav, w64, aiff, au, caf, mp3, aac, latm, m4a, mp4, 3gp, mov, ogg, webm, mkv, flac, amr"

_MAGICS = (
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"caff", "caf"),
    (b".snd", "au"),
    (b"#!AMR", "amr"),
    (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb", "w64"),
)
_RIFF = (b"RIFF", b"RIFX", b"RF64", b"BW64")
_BOXES = (b"ftyp", b"moov", b"mdat", b"moof", b"styp", b"free", b"skip", b"wide")
_LONGEST_BOX_BYTES = 2**28
_EBML = b"\x1a\x45\xdf\xa3"

_FRAMES_IN_A_ROW = 3
"""Raw PCM can look like the sync word of one frame, but hardly like three consecutive frames."""


def sniff(head: bytes | bytearray) -> str | None:
    """The name of the container that begins with *head*; None when it is unknown.

    ID3 tags are skipped. While the bytes after them have not arrived, MP3 is the best guess.
    """
    if head.startswith(b"ID3"):
        return _sniff_untagged(head[id3_bytes(head) :]) or "mp3"
    return _sniff_untagged(head)


def _sniff_untagged(head: bytes | bytearray) -> str | None:
    for magic, name in _MAGICS:
        if head.startswith(magic):
            return name
    if head[:4] in _RIFF and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] in _BOXES and int.from_bytes(head[:4]) < _LONGEST_BOX_BYTES:
        return _mp4_flavour(bytes(head[8:12]))
    if head.startswith(_EBML):
        return "webm" if b"webm" in head[:64] else "mkv"
    return _sniff_frames(head)


def decided(head: bytes | bytearray) -> bool:
    """Whether more bytes cannot change the result of `sniff`."""
    start = id3_bytes(head)
    untagged = head[start : start + FRAMES_BYTES]
    if len(untagged) < MAGIC_BYTES:
        return False
    return _sniff_untagged(untagged) is not None or len(untagged) == FRAMES_BYTES or not _looks_like_a_frame(untagged)


def _mp4_flavour(brand: bytes) -> str:
    if brand.startswith((b"3gp", b"3g2", b"3gg", b"3gs")):
        return "3gp"
    return {b"M4A ": "m4a", b"M4B ": "m4a", b"qt  ": "mov"}.get(brand, "mp4")


def _sniff_frames(head: bytes | bytearray) -> str | None:
    for name, length in _FRAME_LENGTHS.items():
        if _frames_follow(head, length):
            return name
    return None


def _frames_follow(head: bytes | bytearray, length: Callable[[bytes], int]) -> bool:
    """Whether *head* begins with three frames, or with fewer that end exactly at its end."""
    starts = [0]
    while len(starts) <= _FRAMES_IN_A_ROW and starts[-1] < len(head):
        size = length(bytes(head[starts[-1] : starts[-1] + 6]))
        if not size:
            return False
        starts.append(starts[-1] + size)
    whole = [end for _, end in pairwise(starts) if end <= len(head)]
    return len(whole) >= _FRAMES_IN_A_ROW or (bool(whole) and whole[-1] == len(head))


def _looks_like_a_frame(head: bytes | bytearray) -> bool:
    return any(length(bytes(head[:6])) for length in _FRAME_LENGTHS.values())


def _adts_length(frame: bytes) -> int:
    """Bytes of an ADTS frame (ISO 13818-7, 6.2), 0 for anything else."""
    if len(frame) < 6 or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0 or frame[2] >> 2 & 15 > 12:
        return 0
    length = (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5
    return length if length > 7 else 0


def _loas_length(frame: bytes) -> int:
    """Bytes of a LOAS frame around LATM (ISO 14496-3, 1.7.2), 0 for anything else."""
    if len(frame) < 3 or frame[0] != 0x56 or frame[1] & 0xE0 != 0xE0:
        return 0
    return ((frame[1] & 0x1F) << 8 | frame[2]) + 3


_KILOBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates by MPEG version (2 stands for 2.5 too) and layer (ISO 11172-3, 2.4.2.3; ISO 13818-3)."""

_MPEG1_RATES = (44_100, 48_000, 32_000)


def _mpeg_length(frame: bytes) -> int:
    """Bytes of an MPEG audio frame (ISO 11172-3, 2.4.2.3), 0 for anything else."""
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return 0
    version_bits, layer = frame[1] >> 3 & 3, 4 - (frame[1] >> 1 & 3)
    bitrate_index, rate_index = frame[2] >> 4, frame[2] >> 2 & 3
    if version_bits == 1 or layer == 4 or bitrate_index in (0, 15) or rate_index == 3:
        return 0
    version = 1 if version_bits == 3 else 2
    bits = _KILOBITS[version, layer][bitrate_index - 1] * 1000
    rate = _MPEG1_RATES[rate_index] // {3: 1, 2: 2, 0: 4}[version_bits]
    padding = frame[2] >> 1 & 1
    if layer == 1:
        return (12 * bits // rate + padding) * 4
    return (72 if version == 2 and layer == 3 else 144) * bits // rate + padding


_FRAME_LENGTHS = {"aac": _adts_length, "latm": _loas_length, "mp3": _mpeg_length}
