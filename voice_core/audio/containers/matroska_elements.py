"""Elements of Matroska and WebM."""

from collections.abc import Iterator
from typing import NamedTuple

TRACKS = b"\x16\x54\xae\x6b"
"""The id of the element that describes the tracks (RFC 9559, 5.1.4)."""

ENTRY, ENCODINGS, ENCODING, COMPRESSION = 0xAE, 0x6D80, 0x6240, 0x5034
"""A track; how its frames are encoded, in three levels (RFC 9559, 5.1.4.1)."""

NESTED = (ENTRY, ENCODINGS, ENCODING, COMPRESSION)
"""Elements whose contents are read."""

ALGORITHM, SETTINGS, CODEC, PRIVATE, AUDIO = 0x4254, 0x4255, 0x86, 0x63A2, 0xE1
"""ContentCompAlgo, ContentCompSettings, CodecID, CodecPrivate and Audio (RFC 9559, 5.1.4.1)."""

MOST_ELEMENTS = 5_000


class Element(NamedTuple):
    kind: int
    """The id."""
    body: bytes
    """As much of it as there is; nothing of `NESTED` ones."""
    size: int


def elements(data: bytes, at: int, end: int) -> Iterator[Element]:
    """The elements between two offsets, and those within `NESTED` ones, at most `MOST_ELEMENTS`."""
    for _ in range(MOST_ELEMENTS):
        if at >= end:
            return
        kind, at = number(data, at, keep_marker=True)
        size, at = number(data, at, keep_marker=False)
        if kind in NESTED:
            yield Element(kind, b"", size)
        else:
            yield Element(kind, data[at : min(at + size, end)], size)
            at += size


def number(data: bytes, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """An id or a size of 1 to 8 bytes (RFC 8794, 4), and the offset behind it. An unknown size counts as huge."""
    first = data[at] if at < len(data) else 1
    length = 9 - first.bit_length() if first else 1
    value = int.from_bytes(data[at : at + length])
    if not keep_marker:
        value &= (1 << 7 * length) - 1
        value = 1 << 56 if value == (1 << 7 * length) - 1 else value
    return value, at + length
