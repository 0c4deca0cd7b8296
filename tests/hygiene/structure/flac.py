"""FLAC files (RFC 9639)."""

import struct

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.ogg import comments
from tests.hygiene.structure.sound_packets import sound_packets

STREAMINFO, PADDING, APPLICATION, SEEK_TABLE, COMMENT, CUE_SHEET, PICTURE = range(7)


def flac(draw: Draw) -> bytes:
    """A file with metadata blocks of all kinds before its frames."""
    sound = sound_packets("flac")
    makers = (_padding, _application, _seek_table, comments, _cue_sheet, _picture)
    kinds = [draw.randint(PADDING, PICTURE) for _ in range(draw.count(1_100) if draw.likely(0.1) else draw.few())]
    blocks = [(STREAMINFO, _stream_info(draw, sound.private))]
    blocks += [(draw.claim(kind, 7, 0.02), makers[kind - 1](draw)) for kind in kinds]
    file = b"fLaC"
    for place, (kind, body) in enumerate(blocks):
        mark = 0x80 * (place + 1 == len(blocks) if draw.likely(1 - 0.05 * draw.wrongness) else draw.likely(0.5))
        file += bytes((mark | kind,)) + draw.claim(len(body), 24, 0.02).to_bytes(3) + body
    frames = [_frame(draw, packet) for packet in sound.packets[: draw.usually(40, 0, 1, 5)]]
    return (
        draw.choice((b"", b"", b"", b"ID3\4\0\0\0\0\0\x0a" + bytes(10)))
        + file
        + b"".join(frames) * draw.choice((1, 1, 2))
    )


def _stream_info(draw: Draw, private: bytes) -> bytes:
    """STREAMINFO, sometimes with another rate, number of channels, width or length."""
    info = int.from_bytes(private[:34])
    for bits, at in ((16, 256), (16, 240), (24, 216), (24, 192), (20, 172), (3, 169), (5, 164), (36, 128)):
        if draw.likely(0.06 * draw.wrongness):
            info = info & ~((1 << bits) - 1 << at) | draw.number(bits) << at
    return info.to_bytes(34)


def _frame(draw: Draw, frame: bytes) -> bytes:
    """A frame, sometimes with another header or a bit flipped."""
    if draw.likely(1 - 0.1 * draw.wrongness):
        return frame
    at = draw.randrange(min(len(frame), draw.choice((6, 500))))
    return frame[:at] + bytes((frame[at] ^ 1 << draw.randrange(8),)) + frame[at + 1 :]


def _padding(draw: Draw) -> bytes:
    return bytes(draw.count(8_192))


def _application(draw: Draw) -> bytes:
    return draw.name() + draw.junk(200)


def _seek_table(draw: Draw) -> bytes:
    points = range(draw.count(3_000))
    return b"".join(struct.pack(">QQH", draw.claim(4_096 * each, 64, 0.02), draw.number(40), 4_096) for each in points)


def _cue_sheet(draw: Draw) -> bytes:
    count = draw.count(100)
    tracks = b""
    for track in range(1, count + 1):
        indices = draw.count(100)
        points = struct.pack(">QB3x", 0, 1) * indices
        tracks += struct.pack(">QB12sB13xB", track * 588, track % 256, bytes(12), 0, draw.claim(indices, 8)) + points
    return bytes(128) + struct.pack(">QB258xB", 88_200, 0x80, draw.claim(count, 8)) + tracks


def _picture(draw: Draw) -> bytes:
    kind, words, data = b"image/png", draw.text().encode(errors="replace"), draw.junk(2_000)
    sizes = (struct.pack(">I", draw.claim(len(part), chance=0.05)) + part for part in (kind, words))
    return (
        struct.pack(">I", draw.number(8))
        + b"".join(sizes)
        + struct.pack(">5I", 1, 1, 24, 0, draw.claim(len(data)))
        + data
    )
