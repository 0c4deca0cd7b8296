"""MP4 and MOV files with more in them than recorders write (ISO 14496-12)."""

import struct
from collections.abc import Sequence

Row = tuple[int, ...]


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def table(kind: bytes, *numbers: int, version: int = 0) -> bytes:
    """A full box of 32-bit numbers."""
    return box(kind, struct.pack(f">B3x{len(numbers)}I", version, *numbers))


def rows(kind: bytes, *lines: Row) -> bytes:
    """A full box that says how many *lines* of numbers it has."""
    return table(kind, len(lines), *(number for line in lines for number in line))


def handler(kind: bytes) -> bytes:
    return box(b"hdlr", bytes(8), kind, bytes(13))


def track(*tables: bytes, kind: bytes = b"soun", first: bytes = b"") -> bytes:
    """A track of these *tables*, with something *first* in its media."""
    return box(b"trak", box(b"mdia", first, handler(kind), box(b"minf", box(b"stbl", *tables))))


def pcm(samples: int, chunks: int, *, ticks: int = 1) -> Sequence[bytes]:
    """The tables of PCM with so many *samples* in each of its *chunks*."""
    return (
        rows(b"stts", (samples * chunks % 2**32, ticks)),
        rows(b"stsc", (1, samples, 1)),
        table(b"stsz", 2, samples * chunks % 2**32),
        rows(b"stco", *((44,) for _ in range(chunks))),
    )


def within(file: bytes, kind: bytes, *more: bytes) -> bytes:
    """*file* with *more* at the end of its first box of this *kind*; what comes behind it moves."""
    start = file.index(kind) - 4
    size = int.from_bytes(file[start : start + 4])
    added = b"".join(more)
    return (
        file[:start]
        + struct.pack(">I", size + len(added))
        + file[start + 4 : start + size]
        + added
        + file[start + size :]
    )
