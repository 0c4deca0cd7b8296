"""Streams of frames without a container: MPEG audio, AAC in ADTS, and LATM in LOAS."""

import re
from collections.abc import Callable

_Length = Callable[[bytes], int]
_Marks = Callable[[bytes], bytes]

_HEADER_BYTES = 6

_IN_A_ROW = 3
"""Raw PCM can look like the sync word of one frame, but hardly like three consecutive frames."""

_IN_A_ROW_WITHIN = 4
"""More are required where any offset may be the first."""

_SYNC = re.compile(rb"(?=\xff[\xe2-\xff]|\x56[\xe0-\xff])")
_MOST_SYNCS = 2_000
"""Sync words that are tried; the limit bounds the work on a crafted file. Random bytes have one in 1,000."""


def frames_kind(head: bytes | bytearray) -> str | None:
    """The kind of frames that *head* begins with: at least three, or fewer that end exactly at its end."""
    for name in _KINDS:
        ends = _ends(head, 0, name, _IN_A_ROW)
        whole = [end for end in ends if end <= len(head)]
        if len(whole) >= _IN_A_ROW or (whole and whole[-1] == len(head)):
            return name
    return None


def first_frame(data: bytes | bytearray) -> tuple[int, str] | None:
    """Offset and kind of the first of four consecutive frames of the same kind and rate in *data*; None without any."""
    for number, found in enumerate(_SYNC.finditer(data)):
        if number == _MOST_SYNCS:
            break
        for name in _KINDS:
            ends = _ends(data, found.start(), name, _IN_A_ROW_WITHIN)
            if len(ends) == _IN_A_ROW_WITHIN and ends[-1] <= len(data):
                return found.start(), name
    return None


def has_other_frames(data: bytes, kind: str) -> bool:
    """Whether *data*, which follows frames of *kind*, has consecutive frames of another kind."""
    found = first_frame(data)
    return found is not None and found[1] != kind


def begins_like_a_frame(head: bytes | bytearray) -> bool:
    """Whether *head* begins with the sync word and the header of a frame."""
    return any(length(bytes(head[:_HEADER_BYTES])) for length, _ in _KINDS.values())


def _ends(data: bytes | bytearray, start: int, name: str, most: int) -> list[int]:
    """Ends of up to *most* consecutive frames from *start* on; the last may be beyond the data.

    Empty when bytes follow that are no such frame.
    """
    length, marks = _KINDS[name]
    first = marks(bytes(data[start : start + _HEADER_BYTES]))
    ends: list[int] = []
    while len(ends) < most and start < len(data):
        header = bytes(data[start : start + _HEADER_BYTES])
        size = length(header)
        if not size or marks(header) != first:
            return []
        start += size
        ends.append(start)
    return ends


def _adts_length(frame: bytes) -> int:
    """Bytes of an ADTS frame (ISO 13818-7, 6.2), 0 for anything else."""
    if len(frame) < 6 or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0 or frame[2] >> 2 & 15 > 12:
        return 0
    length = (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5
    return length if length > 7 else 0


def _adts_marks(frame: bytes) -> bytes:
    """The profile and the rate."""
    return bytes((frame[1], frame[2] & 0xFC)) if len(frame) > 2 else b""


def _loas_length(frame: bytes) -> int:
    """Bytes of a LOAS frame around LATM (ISO 14496-3, 1.7.2), 0 for anything else."""
    if len(frame) < 3 or frame[0] != 0x56 or frame[1] & 0xE0 != 0xE0:
        return 0
    return ((frame[1] & 0x1F) << 8 | frame[2]) + 3


def _loas_marks(_frame: bytes) -> bytes:
    return b""


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


def _mpeg_marks(frame: bytes) -> bytes:
    """The version, the layer and the rate; bit rates may change."""
    return bytes((frame[1] & 0xFE, frame[2] & 0x0C)) if len(frame) > 2 else b""


_KINDS: dict[str, tuple[_Length, _Marks]] = {
    "aac": (_adts_length, _adts_marks),
    "latm": (_loas_length, _loas_marks),
    "mp3": (_mpeg_length, _mpeg_marks),
}
"""The length of a frame by its header, and what all headers of a stream have in common."""
