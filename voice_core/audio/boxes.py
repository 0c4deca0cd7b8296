"""The boxes of an MP4 file (ISO 14496-12, 4.2): how it is put together, without what is in it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from voice_core.domain.errors import InvalidAudio

MAX_BOXES = 20_000
"""Side by side. A minute in fragments of 20 ms has 6,000; made-up ones must not keep us busy."""

_MAX_SAMPLES = 1_000_000
"""Of compressed sound, over all tracks: hours of it."""

_MAX_EDITS = 16
_MAX_SKELETON_BYTES = 32 << 20
"""The index of a day's sound takes 20 MB."""

_EMPTIED = b"\0\0\0\x09mdat\0"
_TABLES = (b"stsz", b"stz2", b"trun", b"stts", b"elst", b"cmov")


@dataclass(frozen=True, slots=True)
class Box:
    kind: bytes
    start: int
    """Offset of its size field."""
    body: int
    """Offset of what it holds."""
    end: int
    """Offset of what follows it; past the end of the file when the file was cut."""


def boxes(data: bytes | bytearray, start: int = 0) -> Iterator[Box]:
    """The boxes one after another from *start* on, until something is no box."""
    for _ in range(MAX_BOXES):
        if start + 8 > len(data):
            return
        size, kind, body = _number(data, start), bytes(data[start + 4 : start + 8]), start + 8
        if size == 1:
            size, body = int.from_bytes(data[body : body + 8]), start + 16
        elif size == 0:
            size = len(data) - start
        if size < body - start:
            return
        yield Box(kind, start, body, start + size)
        start += size


def skeleton(file: io.RawIOBase) -> bytes:
    """The boxes of *file*, but with next to nothing in those of its media.

    Raises:
        InvalidAudio: ``audio-unreadable``; what is left is more than a recording needs.
    """
    parts: list[bytes] = []
    start, left, end = 0, _MAX_SKELETON_BYTES, file.seek(0, io.SEEK_END)
    while start + 8 <= end and len(parts) < MAX_BOXES:
        size, kind = _box_size(file, start, end)
        if size < 8:
            break
        part = _EMPTIED if kind == b"mdat" and size > 8 else _bytes(file, start, min(size, left))
        parts.append(part)
        start, left = start + size, left - len(part)
        if left <= 0:
            raise InvalidAudio("The index of the file is not that of a recording. Send the recorder's file as it is.")
    return b"".join(parts)


def _box_size(file: io.RawIOBase, start: int, end: int) -> tuple[int, bytes]:
    """Of the box at *start* of a file that ends at *end*: its size with its header, and its kind."""
    head = _bytes(file, start, 16)
    size = _number(head, 0)
    long = int.from_bytes(head[8:16]) if size == 1 else size
    return long or end - start, head[4:8]


def _bytes(file: io.RawIOBase, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count) or b""


def has_media(data: bytes) -> bool:
    """Whether any media was written into the file, whether or not it can be found again."""
    return any(box.kind == b"mdat" and box.body < len(data) for box in boxes(data))


def has_index(data: bytes) -> bool:
    """Whether the file still has the box without which no player reads it."""
    return any(box.kind == b"moov" and box.end <= len(data) for box in boxes(data))


def check_index(data: bytes) -> None:
    """Refuse an index that promises more than a recording can hold: a small one can make FFmpeg allocate gigabytes.

    Tables are looked for wherever FFmpeg may find them, which is in any box but that of the media.

    Raises:
        InvalidAudio: ``audio-unreadable``.
    """
    tables = list(islice(_tables(data), MAX_BOXES))
    samples = sum(_number(data, body + 8) for kind, body in tables if kind in (b"stsz", b"stz2"))
    samples += sum(_number(data, body + 4) for kind, body in tables if kind == b"trun")
    edits = sum(_number(data, body + 4) for kind, body in tables if kind == b"elst")
    # FFmpeg indexes PCM, where each sample lasts one tick, by its chunks.
    pcm = all(_number(data, body + 12) == 1 for kind, body in tables if kind == b"stts")
    packed = any(kind == b"cmov" for kind, _ in tables)
    if len(tables) == MAX_BOXES or packed or edits > _MAX_EDITS or (samples > _MAX_SAMPLES and not pcm):
        raise InvalidAudio("The index of the file is not that of a recording. Send the recorder's file as it is.")


def _tables(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Kind and body offset of whatever may be a table that matters."""
    for start, end in _index_spans(data):
        for kind in _TABLES:
            at = data.find(kind, start, end)
            while at >= 0:
                yield kind, at + 4
                at = data.find(kind, at + 4, end)


def _index_spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Offsets between which an index may be: all but media."""
    at = 0
    for box in boxes(data):
        if box.kind != b"mdat":
            yield box.start, box.end
        at = box.end
    yield at, len(data)


def _number(data: bytes | bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 4])
