"""Datagrams of a session: RTP, RTCP and STUN (RFC 3550, RFC 8285, RFC 6716, RFC 4585, RFC 8489)."""

import struct
import zlib
from collections.abc import Sequence

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.sound_packets import sound_packets

TICKS = 960


def rtp_packets(draw: Draw) -> list[bytes]:
    """The packets of a microphone whose numbers and times go on, jump, wrap around or repeat."""
    number, time, source = draw.number(16), draw.number(32), draw.number(32)
    made = []
    for _ in range(draw.choice((1, 5, 30, 60))):
        if draw.likely(0.1):
            number = draw.choice((number, number - 1, number + 2, number + 200, draw.number(16))) % 65_536
        if draw.likely(0.05):
            time = draw.choice((time, time + 48_000 * 6, time - TICKS, draw.number(32))) % 2**32
        source = draw.number(32) if draw.likely(0.02) else source
        made.append(_rtp(draw, number, time, source))
        number, time = (number + 1) % 65_536, (time + TICKS) % 2**32
    if draw.likely(0.2):
        draw.shuffle(made)
    return made


def _rtp(draw: Draw, number: int, time: int, source: int) -> bytes:
    contributors = draw.choice((0, 0, 0, 1, 15))
    extended, padded = draw.likely(0.2), draw.likely(0.05)
    first = draw.claim(2, 2, 0.02) << 6 | padded << 5 | extended << 4 | draw.claim(contributors, 4, 0.05)
    head = struct.pack(">BBHII", first, draw.claim(96, 8, 0.02), number, time, source) + bytes(4 * contributors)
    padding = bytes(3) + b"\4" if padded else b""
    return (
        head
        + (_extension(draw) if extended else b"")
        + opus(draw)
        + (draw.junk(9) if draw.likely(0.3) and padded else padding)
    )


def _extension(draw: Draw) -> bytes:
    profile = draw.choice((0xBEDE, 0x1000, draw.number(16)))
    body = b""
    for place in range(draw.few(15)):
        data = draw.junk(16)[:16] or b"\0"
        body += (
            bytes((place + 1 << 4 | len(data) - 1,)) + data
            if profile == 0xBEDE
            else bytes((place + 1, len(data))) + data
        )
    body += bytes(-len(body) % 4)
    return struct.pack(">HH", profile, draw.claim(len(body) // 4, 16, 0.1)) + body


def opus(draw: Draw) -> bytes:
    """An Opus packet: a real one, or of any mode with one, two or any number of frames (RFC 6716, 3)."""
    if draw.likely(0.6):
        return draw.choice(sound_packets("libopus").packets)
    mode, code = draw.randrange(32) << 3 | draw.randrange(2) << 2, draw.randrange(4)
    if code < 3:
        sizes = b"\x05" if code == 2 else b""
        return bytes((mode | code,)) + sizes + draw.junk(300)
    count = draw.choice((1, 2, 3, 48, 63, 0))
    varied, padded = draw.likely(0.5), draw.likely(0.2)
    body = bytes((mode | 3, varied << 7 | padded << 6 | count)) + (bytes((draw.count(255),)) if padded else b"")
    return body + bytes(draw.count(20) for _ in range(max(0, count - 1) if varied else 0)) + draw.junk(600)


def rtcp_packets(draw: Draw) -> list[bytes]:
    """Compound packets of reports, descriptions, farewells and feedback."""
    makers = (_report, _description, _farewell, _feedback)
    return [
        b"".join(draw.choice(makers)(draw) for _ in range(draw.choice((1, 1, 2, 20))))
        for _ in range(draw.choice((1, 3)))
    ]


def _rtcp(draw: Draw, count: int, kind: int, body: bytes) -> bytes:
    padding = draw.choice((b"", b"", b"", b"\0\0\0\4", b"\0\0\0\xff"))
    body += bytes(-len(body) % 4) + padding
    first = draw.claim(2, 2, 0.02) << 6 | bool(padding) << 5 | draw.claim(count, 5, 0.05)
    return struct.pack(">BBH", first, kind, draw.claim(len(body) // 4, 16, 0.03)) + body


def _report(draw: Draw) -> bytes:
    count = draw.choice((0, 1, 31))
    blocks = b"".join(struct.pack(">6I", *(draw.number(32) for _ in range(6))) for _ in range(count))
    kind = draw.choice((200, 201))
    sender = struct.pack(">5I", *(draw.number(32) for _ in range(5))) if kind == 200 else b""
    return _rtcp(draw, count, kind, struct.pack(">I", 1) + sender + blocks)


def _description(draw: Draw) -> bytes:
    count, body = draw.choice((1, 1, 2, 31)), b""
    for source in range(count):
        items = b"".join(bytes((draw.randint(1, 8), draw.claim(len(text), 8, 0.05))) + text for text in _texts(draw))
        chunk = struct.pack(">I", source) + items + b"\0"
        body += chunk + bytes(-len(chunk) % 4)
    return _rtcp(draw, count, 202, body)


def _texts(draw: Draw) -> Sequence[bytes]:
    return [draw.text(20).encode("utf-8", "replace")[:255] for _ in range(draw.few())]


def _farewell(draw: Draw) -> bytes:
    count = draw.choice((0, 1, 31))
    return _rtcp(draw, count, 203, bytes(4 * count) + draw.choice((b"", b"\3bye", draw.junk(9))))


def _feedback(draw: Draw) -> bytes:
    kind, form = draw.choice(((205, 1), (206, 1), (206, 4), (206, 15), (205, 15)))
    remb = b"REMB" + bytes((draw.count(255),)) + draw.randbytes(3) + bytes(4 * draw.few())
    return _rtcp(draw, form, kind, struct.pack(">II", 1, draw.number(32)) + draw.choice((remb, draw.junk(40))))


def stun_messages(draw: Draw) -> list[bytes]:
    """Connectivity checks and responses with attributes of every kind, and right fingerprints."""
    return [_stun(draw) for _ in range(draw.choice((1, 3, 10)))]


def _stun(draw: Draw) -> bytes:
    kinds = (0x0006, 0x0020, 0x0024, 0x0025, 0x8029, 0x802A, 0x0009, 0x0001, 0x8022, 0x0014, 0x0015, 0x000D, 0x0008)
    body = b""
    for _ in range(draw.few(60)):
        value = draw.choice(
            (
                draw.junk(40),
                struct.pack(">BBHI", 0, 1, 9, 1),
                struct.pack(">BBH16s", 0, 2, 9, bytes(16)),
                bytes(4),
                bytes(8),
                bytes(20),
            )
        )
        body += (
            struct.pack(">HH", draw.choice((*kinds, draw.number(16))), draw.claim(len(value), 16, 0.05))
            + value
            + bytes(-len(value) % 4)
        )
    length = draw.claim(len(body) + 8, 16, 0.05)
    head = struct.pack(
        ">HHI", draw.choice((1, 0x101, 0x111, 0x11, 3, draw.number(14))), length, 0x2112_A442
    ) + draw.randbytes(12)
    fingerprint = zlib.crc32(head + body) ^ 0x5354_554E
    return head + body + struct.pack(">HHI", 0x8028, 4, draw.claim(fingerprint))
