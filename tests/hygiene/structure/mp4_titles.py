"""Titles in MP4 and MOV files: of iTunes, of QuickTime, and of 3GPP."""

import struct

from tests.audio.mp4_files import box, handler
from tests.hygiene.structure.draw import Draw


def metadata(draw: Draw) -> bytes:
    """No, some or thousands of titles."""
    if draw.likely(0.6):
        return b""
    return draw.choice((_itunes, _keys, _three_gpp, _chapters))(draw)


def _value(draw: Draw) -> bytes:
    text = draw.text(30).encode(errors="replace")
    size = draw.claim(16 + len(text), chance=0.1)
    return struct.pack(">I4sII", size, b"data", draw.choice((1, 13, 21, 0)), 0) + text


def _itunes(draw: Draw) -> bytes:
    titles = []
    for _ in range(draw.count(1_500)):
        free = (box(b"mean", bytes(4), b"com.apple.iTunes"), box(b"name", bytes(4), draw.name()))
        name, parts = draw.choice(((b"----", free), (b"\xa9nam", ()), (b"covr", ()), (b"trkn", ())))
        titles.append(box(name, *parts, _value(draw)))
    meta = box(b"meta", bytes(4), handler(b"mdir"), box(b"ilst", *titles))
    return draw.choice((box(b"udta", meta), meta))


def _keys(draw: Draw) -> bytes:
    count = draw.count(1_500)
    names = b"".join(box(b"mdta", draw.name(8)) for _ in range(count))
    values = [box(struct.pack(">I", draw.claim(number + 1, chance=0.02)), _value(draw)) for number in range(count)]
    keys = box(b"keys", struct.pack(">II", 0, draw.claim(count)), names)
    return box(b"meta", handler(b"mdta"), keys, box(b"ilst", *values))


def _three_gpp(draw: Draw) -> bytes:
    names = (b"titl", b"auth", b"dscp", b"yrrc", b"loci", b"cprt")
    titles = (box(draw.choice(names), bytes(4), b"\x55\xc4", draw.junk(40)) for _ in range(draw.count(500)))
    return box(b"udta", *titles)


def _chapters(draw: Draw) -> bytes:
    count = draw.count(255)
    chapters = b"".join(struct.pack(">QB", number, 3) + b"abc" for number in range(count))
    return box(b"udta", box(b"chpl", bytes(8), bytes((draw.claim(count, 8),)), chapters))
