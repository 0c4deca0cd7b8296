"""SCTP packets with right checksums, and the messages that open data channels (RFC 9260, RFC 6525, RFC 8832)."""

import struct
from collections.abc import Sequence

from google_crc32c import value as crc32c

from tests.hygiene.structure.draw import Draw

DATA, INIT, INIT_ACK, SACK, HEARTBEAT, ABORT, SHUTDOWN, ERROR, COOKIE, RECONFIG, FORWARD = (
    *(0, 1, 2, 3, 4, 6, 7, 9, 10, 130, 192),
)
KINDS = (DATA, DATA, DATA, DATA, INIT, INIT_ACK, SACK, HEARTBEAT, ABORT, SHUTDOWN, ERROR, COOKIE, RECONFIG, FORWARD)
OPEN, TEXT, BINARY = 50, 51, 53
"""Protocols of a message: one that opens or confirms a channel, text, binary."""


def sctp_packets(draw: Draw, tag: int, first: int) -> list[bytes]:
    """Packets to an association with this *tag*, which expects the data with the number *first*."""
    packets, number = [], first
    for _ in range(draw.choice((1, 3, 10, 60))):
        chunks = []
        for _ in range(draw.choice((1, 1, 1, 2, 5))):
            kind = draw.choice(KINDS)
            if kind == DATA:
                number = draw.usually(number + 1, number, number + 5, number - 3, draw.number(32)) % 2**32
            chunks.append(_chunk(draw, kind, number))
        packets.append(_packet(draw, tag, chunks))
    return packets


def _packet(draw: Draw, tag: int, chunks: Sequence[bytes]) -> bytes:
    head = struct.pack(">HHI", 5_000, 5_000, draw.usually(tag, 0, draw.number(32)))
    body = b"".join(chunks)
    return head + struct.pack("<I", crc32c(head + bytes(4) + body)) + body


def _chunk(draw: Draw, kind: int, number: int) -> bytes:
    flags, body = (
        (draw.usually(3, 0, 1, 2, draw.number(8)), _data(draw, number)) if kind == DATA else (0, _body(draw, kind))
    )
    return struct.pack(">BBH", kind, flags, draw.claim(4 + len(body), 16, 0.05)) + body + bytes(-len(body) % 4)


def _data(draw: Draw, number: int) -> bytes:
    protocol = draw.choice((OPEN, OPEN, TEXT, TEXT, BINARY, draw.number(32)))
    text = draw.text().encode("utf-8", "replace")
    payload = _channel(draw) if protocol == OPEN else draw.choice((text, draw.junk(1_200), b"\xff"))
    return struct.pack(">IHHI", number, draw.claim(0, 16), draw.claim(0, 16), protocol) + payload


def _channel(draw: Draw) -> bytes:
    label, name = draw.text(20).encode("utf-8", "replace"), draw.junk(20)
    sizes = draw.claim(len(label), 16), draw.claim(len(name), 16)
    opened = struct.pack(">BBHIHH", 3, draw.choice((0, 1, 0x81, 7)), draw.number(16), draw.number(32), *sizes)
    return draw.usually(opened + label + name, b"\2", opened[:5], b"", draw.junk(12))


def _body(draw: Draw, kind: int) -> bytes:
    if kind in (INIT, INIT_ACK):
        parameters = b"".join(_parameter(draw) for _ in range(draw.few()))
        numbers = (draw.number(32), draw.number(32), draw.claim(1_024, 16), draw.claim(1_024, 16), draw.number(32))
        return struct.pack(">IIHHI", *numbers) + parameters
    if kind == SACK:
        gaps, doubles = draw.choice((0, 1, 300)), draw.choice((0, 1, 300))
        head = struct.pack(
            ">IIHH", draw.usually(1, draw.number(32)), draw.number(32), draw.claim(gaps, 16), draw.claim(doubles, 16)
        )
        return head + draw.randbytes(4 * gaps) + draw.randbytes(4 * doubles)
    if kind == FORWARD:
        return struct.pack(">I", draw.number(32)) + draw.randbytes(4 * draw.few(20))
    return _parameter(draw) if kind in (HEARTBEAT, ERROR, ABORT, RECONFIG) else draw.junk(40)


def _parameter(draw: Draw) -> bytes:
    body = draw.choice(
        (draw.junk(30), struct.pack(">III", *(draw.number(32) for _ in range(3))) + bytes(2 * draw.few()))
    )
    kind = draw.choice((1, 7, 13, 16, 0x8008, 0xC000, draw.number(16)))
    return struct.pack(">HH", kind, draw.claim(4 + len(body), 16, 0.05)) + body + bytes(-len(body) % 4)
