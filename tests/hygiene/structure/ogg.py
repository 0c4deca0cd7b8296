"""Ogg files, with right checksums (RFC 3533; RFC 7845; Vorbis I)."""

import struct
import zlib
from collections.abc import Sequence

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.sound_packets import sound_packets

MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""Each byte with its bits in the other order."""

CONTINUED, FIRST, LAST = 1, 2, 4
UNKNOWN_CODECS = (b"\x80theora\3\2\1", b"Speex   1.2", b"\x01video\0\0\0", b"fishead\0", b"CELT    ", b"\x7fFLAC\1\0")


def ogg(draw: Draw) -> bytes:
    """A file of one or several streams, one after the other or mixed."""
    file = b""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        streams = [_stream(draw, serial) for serial in draw.sample(range(1_000), draw.choice((1, 1, 1, 2, 20)))]
        file += _mixed(draw, streams)
    return file


def _mixed(draw: Draw, streams: Sequence[list[bytes]]) -> bytes:
    """The first page of each stream, then the others in any order that keeps each stream's own."""
    made = [pages.pop(0) for pages in streams if pages]
    remaining = [pages for pages in streams if pages]
    while remaining:
        pages = draw.choice(remaining)
        made.append(pages.pop(0))
        remaining = [each for each in remaining if each]
    if draw.likely(0.1 * draw.wrongness):
        draw.shuffle(made)
    return b"".join(made)


def _stream(draw: Draw, serial: int) -> list[bytes]:
    if draw.likely(0.2 * draw.wrongness):
        packets = [draw.choice(UNKNOWN_CODECS) + draw.junk(80), draw.junk(300), *(draw.junk(300) for _ in range(3))]
        return _pages(draw, serial, packets, 160)
    codec = draw.choice(("libopus", "libopus", "vorbis", "flac"))
    sound = sound_packets(codec)
    if codec == "libopus":
        heads = [_opus_head(draw), b"OpusTags" + comments(draw)]
    elif codec == "vorbis":
        first, _, third = _vorbis_headers(sound.private)
        heads = [first, b"\x03vorbis" + comments(draw) + b"\1", third]
    else:
        info = b"\x7fFLAC\1\0" + struct.pack(">H", draw.claim(1, 16)) + b"fLaC\0\0\0\x22" + sound.private
        body = comments(draw)
        heads = [info, b"\x84" + len(body).to_bytes(3) + body]
    return _pages(draw, serial, [*heads, *sound.packets[: draw.usually(40, 0, 1, 5)]], 960, heads=len(heads))


def comments(draw: Draw) -> bytes:
    """Vorbis comments, whose count and lengths agree with what follows, or almost."""
    vendor = draw.junk(40)
    count = draw.count(1_500)
    lines = [
        draw.choice((b"TITLE=a", b"METADATA_BLOCK_PICTURE=" + b"A" * draw.count(3_000), b"=", b"x", draw.junk(60)))
        for _ in range(count)
    ]
    body = b"".join(struct.pack("<I", draw.claim(len(line), chance=0.002)) + line for line in lines)
    return (
        struct.pack("<I", draw.claim(len(vendor), chance=0.03)) + vendor + struct.pack("<I", draw.claim(count)) + body
    )


def _opus_head(draw: Draw) -> bytes:
    channels = draw.usually(1, 2, 8, 9, 255, 0)
    family = 0 if channels <= 2 else draw.choice((1, 2, 255))
    head = struct.pack(
        "<8sBBHIhB", b"OpusHead", draw.claim(1, 8, 0.05), channels, draw.claim(312, 16), 48_000, 0, family
    )
    return head + (bytes((draw.claim(channels, 8), 0, *range(channels))) if family else b"")


def _vorbis_headers(private: bytes) -> tuple[bytes, bytes, bytes]:
    """The three headers in *private*, which begins with the sizes of the first two (as in RFC 9559)."""
    at, sizes = 1, []
    for _ in range(2):
        size = 0
        while private[at] == 255:
            size, at = size + 255, at + 1
        size, at = size + private[at], at + 1
        sizes.append(size)
    first, second = at + sizes[0], at + sizes[0] + sizes[1]
    return private[at:first], private[first:second], private[second:]


def _pages(draw: Draw, serial: int, packets: Sequence[bytes], step: int, heads: int = 1) -> list[bytes]:
    """*packets* in pages; several share one, and long ones span more."""
    pages: list[bytes] = []
    position, segments, body, continued = 0, b"", b"", 0
    for place, packet in enumerate(packets):
        position += step if place >= heads else 0
        lacing = b"\xff" * (len(packet) // 255) + bytes((len(packet) % 255,))
        for start in range(len(lacing)):
            segments += lacing[start : start + 1]
            body += packet[255 * start : 255 * start + lacing[start]]
            ended = start + 1 == len(lacing)
            if len(segments) == 255 or (ended and (place < heads or place + 1 == len(packets) or draw.likely(0.3))):
                granule = position if ended else -1
                flags = continued | FIRST * (not pages) | LAST * (place + 1 == len(packets) and ended)
                pages.append(_page(draw, (serial, len(pages)), flags, granule, segments, body))
                segments, body, continued = b"", b"", CONTINUED * (not ended)
    return pages


def _page(draw: Draw, place: tuple[int, int], flags: int, granule: int, segments: bytes, body: bytes) -> bytes:
    serial, sequence = place
    position = draw.claim(granule % 2**64, 64, 0.03)
    head = struct.pack(
        "<4sBBQII", b"OggS", 0, draw.claim(flags, 8, 0.02), position, serial, draw.claim(sequence, chance=0.02)
    )
    rest = bytes((len(segments),)) + segments + body
    return head + checksum(head + bytes(4) + rest).to_bytes(4, "little") + rest


def checksum(page: bytes) -> int:
    """The checksum of a page whose own field is zero (RFC 3533, 6): zlib's, with the bits in the other order."""
    crc = zlib.crc32(page.translate(MIRRORED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int.from_bytes(crc.to_bytes(4, "little").translate(MIRRORED))
