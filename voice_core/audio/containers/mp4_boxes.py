"""The boxes of an MP4 file (ISO 14496-12, 4.2): its structure, not its contents."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BOXES = 20_000
"""Boxes side by side in a part of a file; the limit bounds the work on a crafted file."""

_MOST_FILE_BOXES = 200_000
"""Boxes of a complete file: four hours in fragments of 150 ms."""


@dataclass(frozen=True, slots=True)
class Box:
    kind: bytes
    start: int
    """Offset of its size field."""
    body: int
    """Offset of its contents."""
    end: int
    """Offset behind it; past the end of the file when the file was cut."""


def boxes(data: bytes | bytearray, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The consecutive boxes from *start* to *end*, up to bytes that are not a box."""
    end = len(data) if end is None else min(end, len(data))
    for _ in range(MAX_BOXES):
        if start + 8 > end:
            return
        box = _box(data[start : start + 16], start, end)
        if box is None:
            return
        yield box
        start = box.end


def file_boxes(file: io.IOBase) -> Iterator[Box]:
    """The boxes of a complete *file*; bytes at its end that are not a box are returned as a box without a name."""
    start, end = 0, file.seek(0, io.SEEK_END)
    for _ in range(_MOST_FILE_BOXES):
        if start + 8 > end:
            break
        file.seek(start)
        box = _box(file.read(16), start, end)
        if box is None:
            break
        yield box
        start = box.end
    if start < end:
        yield Box(b"", start, start, end)


def _box(head: bytes | bytearray, start: int, end: int) -> Box | None:
    """The box that begins with *head*; a box without a size ends at *end*."""
    size, kind, body = int.from_bytes(head[:4]), bytes(head[4:8]), start + 8
    if size == 1:
        size, body = int.from_bytes(head[8:16]), start + 16
    elif size == 0:
        size = end - start
    return Box(kind, start, body, start + size) if size >= body - start else None
