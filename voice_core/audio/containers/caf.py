"""Parts of a CAF file (Apple, Core Audio Format) that are hidden from FFmpeg: titles. Large tables are refused."""

import io
from collections.abc import Iterator
from functools import partial

from voice_core.audio.containers.tags import Hide, patched
from voice_core.domain.errors import InvalidAudio

MOST_PACKETS = 1_000_000
"""Packets in tables: FFmpeg makes an entry of 24 bytes for each (libavformat/cafdec.c). Four hours have 720,000."""

_FILE_HEADER_BYTES, _HEADER_BYTES = 8, 12
_PACKET_BYTES_OFFSET = _FILE_HEADER_BYTES + _HEADER_BYTES + 16
"""Offset of the bytes a packet, then the frames a packet, in the first chunk; 0 where packets differ."""

_MOST_CHUNKS = 10_000
"""Real files have a handful; the limit bounds the work on a crafted file."""


def hiding(file: io.IOBase) -> Hide:
    """The filter that turns titles into free space.

    Raises:
        InvalidAudio: ``audio-unreadable``; there are too many packets or chunks.
    """
    chunks = list(_chunks(file))
    tabled = sum(_number(file, at + _HEADER_BYTES, 8) for kind, at in chunks if kind == b"pakt")
    if len(chunks) == _MOST_CHUNKS or (tabled > MOST_PACKETS and not _are_alike(file)):
        raise InvalidAudio("The index of the file is not that of a recording. Send the recorder's file as it is.")
    return partial(patched, {at: b"free" for kind, at in chunks if kind == b"info"})


def _are_alike(file: io.IOBase) -> bool:
    """Whether all packets have the same size and length, so that none needs an entry."""
    sizes = [_number(file, _PACKET_BYTES_OFFSET + offset, 4) for offset in (0, 4)]
    return all(0 < size < 1 << 31 for size in sizes)


def _chunks(file: io.IOBase) -> Iterator[tuple[bytes, int]]:
    """Kind and offset of each chunk, up to one of unknown size."""
    at, end = _FILE_HEADER_BYTES, file.seek(0, io.SEEK_END)
    for _ in range(_MOST_CHUNKS):
        if at + _HEADER_BYTES > end:
            return
        file.seek(at)
        kind = file.read(4)
        yield kind, at
        size = _number(file, at + 4, 8)
        if size >= 1 << 63:
            return
        at += _HEADER_BYTES + size


def _number(file: io.IOBase, at: int, width: int) -> int:
    file.seek(at)
    return int.from_bytes(file.read(width))
