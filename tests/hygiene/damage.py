"""Mutations of a recording's bytes, random and deliberate.

A mutation is identified by a seed and a number and is reproducible: a harmful input can be generated again without
having been stored.
"""

import random
import re
from collections.abc import Callable, Sequence

LONGEST_BYTES = 400_000
"""Limit for a mutated recording: larger ones repeat the same content and only take longer."""

SIZES = (0, 1, 2, 3, 4, 7, 8, 12, 16, 255, 256, 4095, 65_535, 65_536, 2**24 - 1, 2**27, 2**31 - 1, 2**31, 2**32 - 1)
"""False values for lengths and counts."""

NAMES = re.compile(
    rb"RIFF|RIFX|RF64|WAVE|fmt |data|LIST|JUNK|FLLR|fact|ds64|FORM|AIFF|COMM|SSND|caff|desc|kuki|pakt|free"
    rb"|ftyp|moov|mdat|moof|traf|trun|tfhd|trak|mdia|minf|stbl|stsd|stsz|stsc|stco|stts|elst|mvhd|tkhd|mdhd|esds|mp4a|samr"
    rb"|OggS|OpusHead|fLaC|ID3|TAG|Xing|Info|LAME|#!AMR|\.snd"
    rb"|\x1a\x45\xdf\xa3|\x18\x53\x80\x67|\x1f\x43\xb6\x75|\x16\x54\xae\x6b|\xa3"
)
"""Names of chunks, boxes, pages and EBML elements; a length precedes or follows each."""

HEADER_BYTES = 600
"""Size of the part that decides most about how a file is read."""

Damage = Callable[[random.Random, bytearray, Sequence[bytes]], bytearray]


def damaged(seed: int, number: int, files: Sequence[bytes]) -> tuple[int, bytes]:
    """Mutation *number* of *seed*: the index of the original in *files*, and the mutated bytes."""
    # Strings seed by their digest: the same on every Python, which hash() is not.
    chance = random.Random(f"{seed}:{number}")
    source = chance.randrange(len(files))
    data = bytearray(files[source])
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5, 8))):
        data = chance.choice(DAMAGES)(chance, data, files)[:LONGEST_BYTES] or bytearray(b"\0")
    return source, bytes(data)


def _offset(chance: random.Random, data: bytearray) -> int:
    """An offset, half the time in the header."""
    return chance.randrange(min(len(data), HEADER_BYTES) if chance.random() < 0.5 else len(data))


def _span(chance: random.Random, data: bytearray) -> tuple[int, int]:
    start = _offset(chance, data)
    return start, min(len(data), start + round(chance.expovariate(1 / 200)) + 1)


def flip_bits(chance: random.Random, data: bytearray, _files: Sequence[bytes]) -> bytearray:
    for _ in range(chance.randint(1, 16)):
        data[_offset(chance, data)] ^= 1 << chance.randrange(8)
    return data


def overwrite(chance: random.Random, data: bytearray, _files: Sequence[bytes]) -> bytearray:
    start, end = _span(chance, data)
    data[start:end] = chance.choice((chance.randbytes(end - start), bytes(end - start), b"\xff" * (end - start)))
    return data


def truncate(chance: random.Random, data: bytearray, _files: Sequence[bytes]) -> bytearray:
    return data[: _offset(chance, data)]


def behead(chance: random.Random, data: bytearray, _files: Sequence[bytes]) -> bytearray:
    return data[_offset(chance, data) :]


def insert(chance: random.Random, data: bytearray, _files: Sequence[bytes]) -> bytearray:
    size = chance.choice((1, 2, 3, 4, 8, 64, 1000, 20_000))
    at = _offset(chance, data)
    data[at:at] = chance.choice((chance.randbytes(size), bytes(size)))
    return data


def remove(chance: random.Random, data: bytearray, _files: Sequence[bytes]) -> bytearray:
    start, end = _span(chance, data)
    del data[start:end]
    return data


def repeat(chance: random.Random, data: bytearray, _files: Sequence[bytes]) -> bytearray:
    start, end = _span(chance, data)
    data[start:start] = data[start:end] * chance.choice((1, 2, 10, 100))
    return data


def move(chance: random.Random, data: bytearray, _files: Sequence[bytes]) -> bytearray:
    start, end = _span(chance, data)
    moved = data[start:end]
    del data[start:end]
    at = chance.randint(0, len(data))
    data[at:at] = moved
    return data


def lie(chance: random.Random, data: bytearray, _files: Sequence[bytes]) -> bytearray:
    """Write a false length or count beside a name."""
    names = [match.span() for match in NAMES.finditer(data)]
    start, end = chance.choice(names) if names else (0, 0)
    width = chance.choice((1, 2, 4, 4, 4, 8))
    size = chance.choice((*SIZES, len(data), len(data) - start, chance.randrange(2**16)))
    at = chance.choice((start - width, end, end + 4, end + 8, end + 4 * chance.randrange(16)))
    if 0 <= at <= len(data) - width:
        claimed = size % (1 << 8 * width)
        data[at : at + width] = claimed.to_bytes(width, chance.choice(("big", "little")))
    return data


def rename(chance: random.Random, data: bytearray, _files: Sequence[bytes]) -> bytearray:
    """Give a chunk the name of another."""
    names = list(NAMES.finditer(data))
    if len(names) > 1:
        one, other = chance.sample(names, 2)
        data[one.start() : one.start() + len(other[0])] = other[0]
    return data


def splice(chance: random.Random, data: bytearray, files: Sequence[bytes]) -> bytearray:
    """Join the beginning of this file and the end of another."""
    other = bytearray(chance.choice(files))
    return data[: _offset(chance, data)] + other[_offset(chance, other) :]


def disguise(chance: random.Random, data: bytearray, files: Sequence[bytes]) -> bytearray:
    """Put another file's header over this one's."""
    size = chance.choice((4, 8, 12, 16, 44, 100, HEADER_BYTES))
    data[:size] = chance.choice(files)[:size]
    return data


def nest(chance: random.Random, data: bytearray, files: Sequence[bytes]) -> bytearray:
    """Insert another file."""
    at = _offset(chance, data)
    data[at:at] = chance.choice(files)
    return data


def tag(chance: random.Random, data: bytearray, _files: Sequence[bytes]) -> bytearray:
    """Prepend an ID3 tag whose length field may be wrong."""
    length = bytes(chance.randrange(128) for _ in range(2))
    return bytearray(b"ID3\4\0\0\0\0" + length + bytes(chance.choice((0, 1, 128, 4000)))) + data


DAMAGES: tuple[Damage, ...] = (
    flip_bits,
    flip_bits,
    overwrite,
    truncate,
    behead,
    insert,
    remove,
    repeat,
    move,
    lie,
    lie,
    lie,
    rename,
    splice,
    disguise,
    nest,
    tag,
)
"""Repeated entries are chosen more often."""
