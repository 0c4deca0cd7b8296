"""Clusters of Matroska files, and their blocks with lacing (RFC 9559, 10)."""

import struct
from collections.abc import Sequence
from itertools import pairwise

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.sound_packets import SoundPackets

SIMPLE, GROUP, BLOCK = b"\xa3", b"\xa0", b"\xa1"
LACINGS = (0, 0, 0, 2, 4, 6)
"""None, Xiph's, fixed size, EBML's."""


def cluster(draw: Draw, sounds: Sequence[SoundPackets], place: int) -> bytes:
    """The body of the cluster at *place*: a time and blocks of the tracks."""
    time = draw.claim(place * 100, 32, 0.05)
    body = _sized(b"\xe7", struct.pack(">I", time))
    for index in range(draw.choice((1, 2, 5, draw.count(60)))):
        track = draw.randint(1, len(sounds))
        packets = sounds[track - 1].packets
        block = _block(draw, draw.claim(track, 7, 0.03), packets[index % len(packets) :])
        body += _in_group(draw, block) if draw.likely(0.3) else _sized(SIMPLE, block)
    return body


def _block(draw: Draw, track: int, packets: Sequence[bytes]) -> bytes:
    """A block of one frame, or of several whose sizes are laced."""
    lacing = draw.choice(LACINGS)
    frames = packets[: max(1, draw.count(20))] if lacing else packets[:1]
    head = bytes((0x80 | track,)) + struct.pack(">hB", draw.claim(0, 15, 0.1), 0x80 | lacing)
    if not lacing:
        return head + b"".join(frames)
    if lacing == 4:
        shortest = min(map(len, frames))
        frames = [frame[:shortest] for frame in frames]
    sizes = [len(frame) for frame in frames]
    count = bytes((draw.claim(len(frames) - 1, 8, 0.05),))
    laced = _xiph(sizes) if lacing == 2 else _ebml(sizes) if lacing == 6 else b""
    return head + count + laced + b"".join(frames)


def _xiph(sizes: Sequence[int]) -> bytes:
    return b"".join(b"\xff" * (size // 255) + bytes((size % 255,)) for size in sizes[:-1])


def _ebml(sizes: Sequence[int]) -> bytes:
    """The first size, and differences to it, each in two bytes."""
    if len(sizes) < 2:
        return b""
    made = struct.pack(">H", 0x4000 | sizes[0] & 0x3FFF)
    for before, size in pairwise(sizes[:-1]):
        made += struct.pack(">H", 0x4000 | size - before + 0x1FFF & 0x3FFF)
    return made


def _in_group(draw: Draw, block: bytes) -> bytes:
    parts = [_sized(BLOCK, block)]
    if draw.likely(0.3):
        parts.append(_sized(b"\x75\xa2", struct.pack(">q", draw.choice((0, 10**7, -(10**9), 2**62)))))
    if draw.likely(0.2):
        addition = _sized(b"\xa6", _sized(b"\xee", b"\1") + _sized(b"\xa5", draw.junk(100)))
        parts.append(_sized(b"\x75\xa1", addition * draw.count(20)))
    return _sized(GROUP, b"".join(parts))


def _sized(name: bytes, body: bytes) -> bytes:
    return name + (len(body) | 1 << 28).to_bytes(4) + body
