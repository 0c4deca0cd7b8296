"""Number of titles in an Ogg file: the second packet of each stream holds them (RFC 7845, 5.2; Vorbis I, 5)."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from voice_core.domain.errors import InvalidAudio

_PAGE, _HEADER_BYTES = b"OggS", 27

_NAMED = (b"OpusTags", b"\x03vorbis", b"\x81theora", b"OVP80\x02 ")
"""First bytes of packets with titles."""

_NAMELESS = ((b"\x7fFLAC", 4), (b"Speex   ", 0), (b"CELT    ", 0))
"""First bytes of streams in which such a packet has no name, and the number of bytes before its titles."""

_UNKNOWN = (b"\x01video", b"\x01audio", b"\x01text", b"Direct Show Samples")
"""First bytes of streams of an older kind (OGM), whose titles have other names; no recorder writes them."""

_FIRST_PAGE = 2
"""Flag of a page that begins a stream (RFC 3533, 6)."""

_MOST_STREAMS = 1_000
"""Consecutive streams; the limit bounds the work on a crafted file."""

_LEAST_BYTES = 14
"""Shortest packet with a title in it."""

_LONGEST_SEGMENT = 255
"""Bytes; a segment that is shorter ends a packet (RFC 3533, 5)."""


def count_comments(data: bytes) -> int:
    """Titles that FFmpeg may find in all streams of *data*, by their own counts.

    Raises:
        InvalidAudio: ``audio-unreadable``; its pages are not those of a recording.
    """
    return sum(_comments(payload, lacing) for payload, lacing in _streams(data))


def _streams(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The payload of each stream, and the sizes of its segments (RFC 3533, 6)."""
    streams: dict[bytes, tuple[bytearray, bytearray]] = defaultdict(lambda: (bytearray(), bytearray()))
    left = 2 * len(data)
    at = data.find(_PAGE)
    while 0 <= at <= len(data) - _HEADER_BYTES:
        body = at + _HEADER_BYTES + data[at + 26]
        lacing = data[at + _HEADER_BYTES : body]
        stream = streams[data[at + 14 : at + 18]]
        payload = data[body : body + sum(lacing)]
        stream[0].extend(payload)
        stream[1].extend(lacing)
        left -= len(lacing) + len(payload)
        unknown = data[at + 5] & _FIRST_PAGE and payload.startswith(_UNKNOWN)
        if left < 0 or len(streams) > _MOST_STREAMS or unknown:
            raise InvalidAudio("The pages of the file are not those of a recording. Send the recorder's file as it is.")
        # FFmpeg searches for pages within a damaged one as well.
        at = data.find(_PAGE, at + 4)
    return ((bytes(payload), bytes(lacing)) for payload, lacing in streams.values())


def _comments(payload: bytes, lacing: bytes) -> int:
    count = 0
    for name in _NAMED:
        at = payload.find(name)
        while at >= 0:
            count += _announced(payload, at + len(name), len(payload))
            at = payload.find(name, at + 1)
    for beginning, offset in _NAMELESS:
        if beginning in payload:
            count += sum(_announced(payload, start + offset, end) for start, end in _packets(lacing))
    return count


def _packets(lacing: bytes) -> Iterator[tuple[int, int]]:
    sizes = np.frombuffer(lacing, np.uint8)
    ends = np.cumsum(sizes, dtype=np.int64)[sizes < _LONGEST_SEGMENT]
    starts = np.concatenate(([0], ends))[:-1]
    long = ends - starts >= _LEAST_BYTES
    return zip(starts[long].tolist(), ends[long].tolist(), strict=True)


def _announced(payload: bytes, at: int, end: int) -> int:
    """Titles in a packet whose vendor's name begins at *at*: its own count, at most as many as fit."""
    vendor = int.from_bytes(payload[at : at + 4], "little")
    count = int.from_bytes(payload[at + 4 + vendor : at + 8 + vendor], "little")
    return min(count, max(0, end - at - 8 - vendor) // 4)
