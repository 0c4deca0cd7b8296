"""AIFF and AIFF-C files (Apple, Audio Interchange File Format 1.3), and Sun's AU."""

import struct

from tests.hygiene.structure.draw import Draw

COMPRESSIONS = (
    b"NONE",
    b"sowt",
    b"fl32",
    b"fl64",
    b"ulaw",
    b"alaw",
    b"ima4",
    b"in24",
    b"MAC3",
    b"G722",
    b"QDM2",
    b"GSM ",
)


def aiff(draw: Draw) -> bytes:
    """A file with its common chunk, samples and marks in any order."""
    form = draw.choice((b"AIFF", b"AIFC"))
    channels, bits = draw.usually(draw.choice((1, 2, 6)), 9, 0), draw.usually(draw.choice((8, 16, 24, 32)), 0, 65)
    sound = draw.randbytes(draw.usually(draw.choice((3_200, 20_000)), 0, 1, 34))
    frames = len(sound) // max(1, channels * bits // 8)
    common = struct.pack(">HIH", channels, draw.claim(frames, chance=0.05), bits) + _extended(draw)
    common += draw.usually(b"NONE", *COMPRESSIONS) + b"\0\0" if form == b"AIFC" else b""
    samples = struct.pack(">II", draw.claim(0, chance=0.05), draw.claim(0)) + sound
    parts = [
        _chunk(draw, b"COMM", common),
        _chunk(draw, b"SSND", samples),
        *(_other(draw) for _ in range(draw.few(60))),
    ]
    if draw.likely(0.2):
        draw.shuffle(parts)
    body = form + b"".join(parts)
    return b"FORM" + struct.pack(">I", draw.claim(len(body), chance=0.05)) + body


def au(draw: Draw) -> bytes:
    """An AU file, whose header may have any length."""
    note = draw.junk(300)
    encoding = draw.usually(draw.choice((1, 2, 3, 4, 5, 6, 7, 27)), 23, 24, 25, 26, draw.number(32))
    sound = draw.randbytes(draw.usually(draw.choice((3_200, 20_000)), 0, 1))
    size = draw.choice((len(sound), 0xFFFF_FFFF, draw.claim(len(sound))))
    rate, channels = draw.claim(16_000), draw.claim(1)
    return struct.pack(">4s5I", b".snd", draw.claim(24 + len(note)), size, encoding, rate, channels) + note + sound


def _extended(draw: Draw) -> bytes:
    """A sample rate as an extended float of 80 bits."""
    rate = draw.choice((8_000, 16_000, 44_100))
    exponent = rate.bit_length() - 1
    exact = struct.pack(">HQ", 16_383 + exponent, rate << 63 - exponent)
    return draw.usually(exact, bytes(10), b"\xff" * 10, draw.randbytes(10))


def _other(draw: Draw) -> bytes:
    count = draw.count(300)
    marks = struct.pack(">H", draw.claim(count, 16)) + b"".join(
        struct.pack(">HIB", each, each, 1) + b"a" for each in range(count)
    )
    return draw.choice(
        (
            _chunk(draw, b"MARK", marks),
            _chunk(draw, draw.choice((b"NAME", b"AUTH", b"ANNO", b"(c) ")), draw.junk(100)),
            _chunk(draw, b"wave", b"frma" + draw.junk(100)),
            _chunk(draw, b"ID3 ", b"ID3\4\0\0\0\0\1\0" + bytes(128)),
            _chunk(draw, b"CHAN", struct.pack(">III", draw.number(32), 0, draw.number(32)) + draw.junk(100)),
            _chunk(draw, draw.name(), draw.junk(100)),
        )
    )


def _chunk(draw: Draw, name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">I", draw.claim(len(body), chance=0.02)) + body + bytes(len(body) % 2)
