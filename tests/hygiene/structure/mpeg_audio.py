"""MP3 streams with tags (ISO 11172-3; id3.org; APEv2)."""

import struct

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.sound_packets import sound_packets


def mp3(draw: Draw) -> bytes:
    """A stream of frames that begins anywhere, with tags before, in and after it."""
    packets = sound_packets("libmp3lame").packets
    frames = [_frame(draw, packet) for packet in packets[: draw.choice((1, 3, 4, 40))]]
    body = b"".join(frames) * draw.choice((1, 1, 2))
    if draw.likely(0.2):
        body = _index(draw, packets[0]) + body
    if draw.likely(0.15):
        body = body[draw.randrange(len(body)) :]
    begin = b"".join(id3(draw) for _ in range(draw.choice((0, 0, 0, 1, 1, 2, 30))))
    begin += draw.choice((b"", b"", b"", bytes(draw.count(5_000)), draw.junk(3_000)))
    middle = draw.choice((b"", b"", b"", id3(draw), b"TAG" + draw.junk(125)))
    return begin + body + middle + body + draw.choice((b"", b"TAG" + bytes(125), _ape(draw)))


def _frame(draw: Draw, frame: bytes) -> bytes:
    """A frame, sometimes with another version, layer, bit rate, rate or mode in its header."""
    if draw.likely(1 - 0.1 * draw.wrongness):
        return frame
    header = int.from_bytes(frame[:4])
    bits, at = draw.choice(((2, 19), (2, 17), (1, 16), (4, 12), (2, 10), (1, 9), (2, 6), (2, 4), (2, 0)))
    header = header & ~((1 << bits) - 1 << at) | draw.getrandbits(bits) << at
    return header.to_bytes(4) + frame[4:]


def _index(draw: Draw, frame: bytes) -> bytes:
    """A frame with Xing's or Fraunhofer's index in place of its sound."""
    flags = draw.randrange(16)
    numbers = b"".join(struct.pack(">I", draw.number(32)) for bit in (1, 2) if flags & bit)
    xing = (
        draw.choice((b"Xing", b"Info"))
        + struct.pack(">I", flags)
        + numbers
        + (draw.randbytes(100) if flags & 4 else b"")
    )
    vbri = (
        b"VBRI"
        + struct.pack(">HHHIIHHHH", 1, 0, 0, *(draw.number(bits) for bits in (32, 32, 16, 16, 16, 16)))
        + draw.junk(200)
    )
    made = frame[:4] + draw.choice((bytes(9) + xing, bytes(17) + xing, bytes(32) + xing, bytes(32) + vbri))
    return (made + b"LAME3.100" + draw.junk(20)).ljust(len(frame), b"\0")[: len(frame)]


def id3(draw: Draw) -> bytes:
    """An ID3v2 tag whose frames add up to its size, or almost."""
    version = draw.choice((2, 3, 4))
    flags = draw.choice((0, 0, 0, 0x80, 0x40, 0x10, draw.getrandbits(8)))
    frames = b"".join(_id3_frame(draw, version) for _ in range(draw.count(400)))
    extended = (b"\0\0\0\6\1\0" if version == 4 else struct.pack(">IHI", 6, 0, 0)) if flags & 0x40 else b""
    body = extended + frames + bytes(draw.count(2_000))
    footer = b"3DI" + bytes((version, 0, flags)) + _safe(len(body)) if flags & 0x10 else b""
    return b"ID3" + bytes((version, 0, flags)) + _safe(draw.claim(len(body), 28, 0.05)) + body + footer


def _id3_frame(draw: Draw, version: int) -> bytes:
    text = bytes((draw.choice((0, 1, 2, 3, 9)),)) + draw.text(30).encode("utf-16", "surrogatepass")
    body = draw.choice((text, draw.junk(200), b"\0image/png\0\3\0" + draw.junk(500)))
    names = (b"TIT2", b"TXXX", b"COMM", b"APIC", b"PRIV", b"CHAP", b"CTOC", b"GEOB")
    name = draw.choice(names) if version > 2 else draw.choice((b"TT2", b"PIC", b"COM"))
    size = draw.claim(len(body), 24 if version == 2 else 28, 0.02)
    if version == 2:
        return name + size.to_bytes(3) + body
    written = _safe(size) if version == 4 else struct.pack(">I", size)
    return name + written + struct.pack(">H", draw.choice((0, 0, 0, 0x0008, 0x0009, 0x0080, draw.number(16)))) + body


def _safe(size: int) -> bytes:
    """A size of 28 bits, seven in each byte."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def _ape(draw: Draw) -> bytes:
    count = draw.count(500)
    items = b"".join(struct.pack("<II", 1, 0) + b"%06x\0" % number + b"1" for number in range(count))
    head, foot = (
        b"APETAGEX" + struct.pack("<IIII", 2_000, draw.claim(len(items) + 32), draw.claim(count), flags) + bytes(8)
        for flags in (0xA000_0000, 0x8000_0000)
    )
    return head + items + foot
