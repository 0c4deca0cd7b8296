"""Matroska and WebM files (RFC 8794, RFC 9559)."""

import struct
import zlib
from collections.abc import Sequence

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.matroska_blocks import cluster
from tests.hygiene.structure.sound_packets import SoundPackets, sound_packets

CODECS = {"libopus": b"A_OPUS", "vorbis": b"A_VORBIS", "aac": b"A_AAC", "flac": b"A_FLAC", "libmp3lame": b"A_MPEG/L3"}
OTHER_CODECS = (
    b"V_VP8",
    b"V_UNCOMPRESSED",
    b"S_TEXT/UTF8",
    b"A_PCM/INT/LIT",
    b"A_MS/ACM",
    b"A_QUICKTIME",
    b"A_REAL/COOK",
)
ALGORITHMS = (0, 1, 2, 3, 3, 3, 4)
"""zlib, bzlib, lzo, header stripping, one that there is not (RFC 9559, 5.1.4.1.31.6)."""

UNKNOWN_SIZE = b"\x01\xff\xff\xff\xff\xff\xff\xff"


def element(draw: Draw, name: bytes, *parts: bytes, lie: float = 0.01) -> bytes:
    """An element, whose size is written in any of the lengths that it fits into."""
    body = b"".join(parts)
    size = draw.claim(len(body), 56, lie)
    least = max(1, -(-(size + 1).bit_length() // 7))
    length = draw.randint(least, 8) if least < 8 and draw.likely(0.2) else least
    return name + (size | 1 << 7 * length).to_bytes(length) + body


def number(draw: Draw, name: bytes, value: int) -> bytes:
    return element(draw, name, value.to_bytes(max(1, -(-value.bit_length() // 8))))


def matroska(draw: Draw) -> bytes:
    """A file of several tracks, with or without sizes, titles, cues and compression."""
    doctype = draw.choice((b"webm", b"matroska"))
    head = element(
        draw, b"\x1a\x45\xdf\xa3", number(draw, b"\x42\x87", draw.claim(4)), element(draw, b"\x42\x82", doctype)
    )
    sounds = [sound_packets(draw.choice((*CODECS,))) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
    entries = [_entry(draw, index, sound) for index, sound in enumerate(sounds, 1)]
    entries += [_other_entry(draw, 10 + index) for index in range(draw.choice((0, 0, 0, 1, 40)))]
    tracks = element(draw, b"\x16\x54\xae\x6b", *entries)
    clusters = [
        _unsized(draw, cluster(draw, sounds, place)) for place in range(draw.choice((1, 1, 2, 5, draw.count(200))))
    ]
    others = draw.some(
        [_tags(draw), _chapters(draw), _attachments(draw), _cues(draw), _seek_head(draw), _void(draw)], 0.2
    )
    body = [_info(draw), tracks, *others, *clusters]
    if draw.likely(0.1 * draw.wrongness):
        draw.shuffle(body)
    segment = b"".join(body)
    size = UNKNOWN_SIZE if draw.likely(0.4) else (draw.claim(len(segment), 32) | 1 << 56).to_bytes(8)
    return head + b"\x18\x53\x80\x67" + size + segment


def _unsized(draw: Draw, body: bytes) -> bytes:
    """A cluster of known size, or of one that a live recorder does not know."""
    if draw.likely(0.3):
        return b"\x1f\x43\xb6\x75" + UNKNOWN_SIZE + body
    return element(draw, b"\x1f\x43\xb6\x75", body)


def _info(draw: Draw) -> bytes:
    scale = number(draw, b"\x2a\xd7\xb1", draw.claim(1_000_000))
    length = draw.choice((400.0, 0.0, -1.0, 1e300, float("nan"), float("inf")))
    return element(draw, b"\x15\x49\xa9\x66", scale, element(draw, b"\x44\x89", struct.pack(">d", length)))


def _entry(draw: Draw, index: int, sound: SoundPackets) -> bytes:
    private = draw.usually(sound.private, draw.junk(400), bytes(draw.count(40_000)))
    audio = element(
        draw,
        b"\xe1",
        element(draw, b"\xb5", struct.pack(">d", draw.usually(sound.rate, 0.0, 1e9, float("nan")))),
        number(draw, b"\x9f", draw.claim(sound.channels, 16)),
    )
    parts = [
        number(draw, b"\xd7", draw.claim(index, 16, 0.03)),
        number(draw, b"\x73\xc5", draw.claim(index, 32, 0.03)),
        number(draw, b"\x83", draw.claim(2, 8, 0.03)),
        element(draw, b"\x86", CODECS[sound.codec]),
        audio,
    ]
    if draw.likely(0.25 * draw.wrongness):
        private, encodings = _encodings(draw, private)
        parts.append(encodings)
    parts.append(element(draw, b"\x63\xa2", private))
    parts += draw.some([number(draw, b"\x56\xaa", draw.number(40)), number(draw, b"\x56\xbb", draw.number(40))], 0.2)
    return element(draw, b"\xae", *parts)


def _encodings(draw: Draw, private: bytes) -> tuple[bytes, bytes]:
    """Encodings of a track, and its private data encoded so, where that is possible."""
    made = []
    for order in range(draw.choice((1, 1, 2, 30))):
        algorithm = draw.choice(ALGORITHMS)
        settings = draw.junk(70) if algorithm == 3 else b""
        compression = [number(draw, b"\x42\x54", algorithm)] if draw.likely(0.9) else []
        compression += [element(draw, b"\x42\x55", settings)] if settings else []
        if algorithm == 0:
            private = zlib.compress(private + bytes(draw.choice((0, 0, 10**6))))
        scope = number(draw, b"\x50\x32", draw.choice((1, 2, 3)))
        kind = element(draw, b"\x50\x34", *compression) if draw.likely(0.9) else element(draw, b"\x50\x35", draw.junk())
        made.append(element(draw, b"\x62\x40", number(draw, b"\x50\x31", order), scope, kind))
    return private, element(draw, b"\x6d\x80", *made)


def _other_entry(draw: Draw, index: int) -> bytes:
    kind = draw.choice((1, 17, 2, 224))
    codec = element(draw, b"\x86", draw.choice(OTHER_CODECS))
    private = element(draw, b"\x63\xa2", draw.junk(300))
    return element(draw, b"\xae", number(draw, b"\xd7", index), number(draw, b"\x83", kind), codec, private)


def _tags(draw: Draw) -> bytes:
    simple: Sequence[bytes] = [
        element(draw, b"\x67\xc8", element(draw, b"\x45\xa3", draw.name(6)), element(draw, b"\x44\x87", b"1"))
        for _ in range(draw.count(1_000))
    ]
    targets = element(draw, b"\x63\xc0", number(draw, b"\x63\xc5", draw.number(16)))
    tag = element(draw, b"\x73\x73", targets, *simple)
    return element(draw, b"\x12\x54\xc3\x67", *[tag] * draw.choice((1, 1, 2, 20)))


def _chapters(draw: Draw) -> bytes:
    atoms = [
        element(draw, b"\xb6", number(draw, b"\x73\xc4", each + 1), number(draw, b"\x91", draw.number(40)))
        for each in range(draw.count(1_000))
    ]
    return element(draw, b"\x10\x43\xa7\x70", element(draw, b"\x45\xb9", *atoms))


def _attachments(draw: Draw) -> bytes:
    files = [
        element(
            draw, b"\x61\xa7", element(draw, b"\x46\x6e", draw.name()), element(draw, b"\x46\x5c", draw.junk(2_000))
        )
        for _ in range(draw.count(50))
    ]
    return element(draw, b"\x19\x41\xa4\x69", *files)


def _cues(draw: Draw) -> bytes:
    points = []
    for _ in range(draw.count(500)):
        place = element(draw, b"\xb7", number(draw, b"\xf7", 1), number(draw, b"\xf1", draw.number(32)))
        points.append(element(draw, b"\xbb", number(draw, b"\xb3", draw.number(32)), place))
    return element(draw, b"\x1c\x53\xbb\x6b", *points)


def _seek_head(draw: Draw) -> bytes:
    targets = (b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b", b"\x12\x54\xc3\x67", b"\x1c\x53\xbb\x6b", b"\x11\x4d\x9b\x74")
    seeks = []
    for _ in range(draw.choice((1, 3, draw.count(500)))):
        position = number(draw, b"\x53\xac", draw.number(24))
        seeks.append(element(draw, b"\x4d\xbb", element(draw, b"\x53\xab", draw.choice(targets)), position))
    return element(draw, b"\x11\x4d\x9b\x74", *seeks)


def _void(draw: Draw) -> bytes:
    return draw.choice((element(draw, b"\xec", bytes(draw.count(5_000))), element(draw, b"\xbf", draw.randbytes(4))))
