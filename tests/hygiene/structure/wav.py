"""WAV files: RIFF, RIFX, RF64 and Wave64 (Multimedia Programming Interface 1.0; EBU Tech 3306; Sony Wave64)."""

import struct

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.sound_packets import sound_packets

TAGS = {"pcm_s16le": 1, "adpcm_ms": 2, "adpcm_ima_wav": 0x11, "libmp3lame": 0x55}
OTHER_TAGS = (0, 3, 6, 7, 0x31, 0x45, 0x160, 0x28F, 0xFFFE, 0xFFFF)
PCM_SHAPES = ((1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64), (6, 8), (7, 8))
"""Tag and bits of a sample."""

SUBTYPE = bytes.fromhex("000000001000800000aa00389b71")
W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"


def wav(draw: Draw) -> bytes:
    """One WAV, or several that were joined."""
    made = [
        _file(draw, draw.choice((b"RIFF", b"RIFF", b"RIFF", b"RF64", b"BW64", b"RIFX")))
        for _ in range(draw.choice((1, 1, 1, 2, 5)))
    ]
    tail = draw.choice((b"", b"", b"", b"TAG" + bytes(125), b"ID3\3\0\0\0\0\0\1\0", draw.junk()))
    return b"".join(made) + tail


def wave64(draw: Draw) -> bytes:
    """A Wave64, whose chunks have names of 16 bytes and sizes of 64 bits."""
    form, sound, _ = _sound(draw)
    chunks = b"".join(_w64_chunk(draw, draw.name() + W64_TAIL, draw.junk(100)) for _ in range(draw.few(20)))
    titles = struct.pack("<I", draw.number(32)) + draw.junk(200)
    summary = _w64_chunk(draw, bytes.fromhex("bc945f925a52d21186dc00c04f8edb8a"), titles) if draw.likely(0.2) else b""
    body = b"wave" + W64_TAIL + _w64_chunk(draw, b"fmt " + W64_TAIL, form) + chunks + summary
    body += _w64_chunk(draw, b"data" + W64_TAIL, sound)
    return W64_RIFF + struct.pack("<Q", draw.claim(len(body) + 24, 64)) + body


def _w64_chunk(draw: Draw, name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<Q", draw.claim(24 + len(body), 64, 0.04)) + body + bytes(-len(body) % 8)


def _file(draw: Draw, kind: bytes) -> bytes:
    order = ">" if kind == b"RIFX" else "<"
    form, sound, frame = _sound(draw)
    before = [_chunk(draw, order, *_other(draw, order)) for _ in range(draw.choice((0, 0, 0, 1, 3, draw.count(300))))]
    size = draw.usually(len(sound), 0, 0xFFFF_FFFF, len(sound) - 1, 2**31, draw.number(32))
    wide = kind in (b"RF64", b"BW64")
    if wide:
        table = draw.count(200)
        body = struct.pack(
            "<QQQI", len(sound) + 200, draw.claim(len(sound), 64), len(sound) // frame, draw.claim(table)
        )
        before.insert(0, _chunk(draw, "<", b"ds64", body + bytes(12 * table)))
        size = draw.choice((0xFFFF_FFFF, 0xFFFF_FFFF, size))
    format_chunk = _chunk(draw, order, b"fmt ", form, lie=0.02)
    data = struct.pack(f"{order}4sI", b"data", max(0, size) % 2**32) + sound + bytes(len(sound) % 2)
    after = [_chunk(draw, order, *_other(draw, order)) for _ in range(draw.choice((0, 0, 0, 1, 3)))]
    parts = [*before, format_chunk, *draw.some([*before, format_chunk], 0.05 * draw.wrongness), data, *after]
    if draw.likely(0.1 * draw.wrongness):
        draw.shuffle(parts)
    body = b"WAVE" + b"".join(parts)
    return struct.pack(f"{order}4sI", kind, 0xFFFF_FFFF if wide else draw.claim(len(body))) + body


def _sound(draw: Draw) -> tuple[bytes, bytes, int]:
    """The body of the format chunk, the samples, and the bytes of a frame."""
    if draw.likely(0.3):
        packets = sound_packets(draw.choice((*TAGS,)))
        sound = b"".join(packets.packets[: draw.choice((1, 3, 30))])
        block = len(packets.packets[0])
        head = struct.pack(
            "<HHIIHH", TAGS[packets.codec], packets.channels, packets.rate, packets.rate, draw.claim(block, 16), 4
        )
        return head + struct.pack("<H", draw.claim(len(packets.private), 16)) + packets.private, sound, 1
    tag, bits = draw.choice(PCM_SHAPES)
    tag = draw.usually(tag, *OTHER_TAGS)
    channels = draw.usually(draw.choice((1, 1, 2, 6)), 8, 9, 0, 65_535)
    rate = draw.usually(draw.choice((8_000, 16_000, 44_100, 48_000)), 1, 0, 192_001, 2**32 - 1)
    frame = max(1, channels * bits // 8)
    sound = draw.randbytes(draw.usually(draw.choice((3_200, 6_401, 40_000)), 0, 1, frame))
    head = struct.pack("<HII", draw.claim(channels, 16, 0.02), rate, rate * frame % 2**32)
    head += struct.pack("<HH", draw.claim(frame % 65_536, 16, 0.04), draw.claim(bits, 16, 0.04))
    if draw.likely(0.2):
        extension = struct.pack("<HHIH", draw.claim(22, 16), bits, draw.number(32), tag) + SUBTYPE
        return b"\xfe\xff" + head + extension, sound, frame
    return struct.pack("<H", tag) + head + draw.choice((b"", b"", b"\0\0", draw.junk(40))), sound, frame


def _other(draw: Draw, order: str) -> tuple[bytes, bytes]:
    """The name and the body of a chunk that is neither format nor samples."""
    match draw.randrange(6):
        case 0:
            titles = b"".join(_chunk(draw, order, draw.name(), draw.junk(30)) for _ in range(draw.count(500)))
            return b"LIST", draw.choice((b"INFO", b"adtl")) + titles
        case 1:
            count = draw.count(200)
            return b"cue ", struct.pack(f"{order}I", draw.claim(count)) + bytes(24 * count)
        case 2:
            return b"bext", bytes(602) + draw.junk(100)
        case 3:
            return b"fact", struct.pack(f"{order}I", draw.number(32))
        case 4:
            return draw.choice((b"JUNK", b"FLLR", b"PAD ")), bytes(draw.count(5_000))
        case _:
            return draw.choice((b"id3 ", b"ID3 ", b"iXML", draw.name())), draw.junk(300)


def _chunk(draw: Draw, order: str, name: bytes, body: bytes, lie: float = 0.01) -> bytes:
    return struct.pack(f"{order}4sI", name, draw.claim(len(body), chance=lie)) + body + bytes(len(body) % 2)
