"""What else is in a recording's file: titles, pictures and the like, which nobody asked for."""

from collections.abc import Mapping, Sequence

HEADER_BYTES = 10
"""Of an ID3v2 tag (id3.org, ID3v2.4 structure 3.1)."""

BEGINNING_BYTES = 4
"""By so many a tag is known."""

_ID3 = (b"ID3\x02", b"ID3\x03", b"ID3\x04")
_BEGINNINGS: Mapping[str, Sequence[bytes]] = {"mp3": _ID3, "aac": _ID3, "aiff": _ID3, "wav": (*_ID3, b"LIST")}
"""Of the tags that FFmpeg reads wherever they are in a file, by container."""

_MOST = 16
"""One after another: real files have one or two; made-up ones must not keep us busy."""


def id3_bytes(head: bytes | bytearray) -> int:
    """How many bytes the ID3v2 tags at the start of *head* take, whether or not all of them are there yet."""
    end = 0
    for _ in range(_MOST):
        if not head.startswith(b"ID3", end) or len(head) < end + HEADER_BYTES:
            break
        end += _tag_bytes(head[end : end + HEADER_BYTES])
    return end


def defaced(data: bytes, container: str) -> bytes:
    """*data* with the beginnings of tags made unreadable, and nothing moved.

    FFmpeg inflates the compressed frames of ID3 and makes room for as much as a LIST claims to hold: a gigabyte for a
    few kilobytes.
    """
    for beginning in _BEGINNINGS.get(container, ()):
        data = data.replace(beginning, bytes(BEGINNING_BYTES))
    return data


def _tag_bytes(header: bytes | bytearray) -> int:
    size = 0
    for seven_bits in header[6:HEADER_BYTES]:
        size = size << 7 | seven_bits & 0x7F
    footer = HEADER_BYTES if header[5] & 0x10 else 0
    return HEADER_BYTES + size + footer
