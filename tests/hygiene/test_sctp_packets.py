"""Structured SCTP packets of a client, whose counts and numbers are consistent with the connection's, or nearly so."""

import asyncio
import random
from collections.abc import Iterator
from struct import pack

import pytest
from aiortc import RTCSctpTransport
from aiortc.rtcsctptransport import serialize_packet

from fakes.eventually import HANG_SECONDS
from tests.adapters.test_aiortc_limits import call, sctp_of
from voice_core.adapters.aiortc_sessions.sctp_limit import MAX_HELD, MAX_STREAMS

PACKETS = 200
KINDS = (0, 0, 0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 130, 130, 192, 192, 255)
"""Types of chunks, the longest-lived more often."""


class RawChunk:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def __bytes__(self) -> bytes:
        return self._data


def data(sctp: RTCSctpTransport, chance: random.Random) -> bytes:
    tsn = (sctp._last_received_tsn or 0) + chance.choice((1, 1, 1, 2, 3, 50, 256, 257, -1, 1 << 31))
    stream, sequence = chance.choice((0, 1, 2, 31, 65_535)), chance.choice((0, 1, 500))
    head = pack("!LHHL", tsn % (1 << 32), stream, sequence, chance.choice((50, 51, 53, 56, 57, 0)))
    return head + chance.randbytes(chance.choice((0, 1, 12, 100)))


def acknowledgement(sctp: RTCSctpTransport, chance: random.Random) -> bytes:
    count = chance.choice((0, 1, 3, 50))
    tsn = (sctp._last_sacked_tsn + chance.choice((0, 0, 1, -1, 1000))) % (1 << 32)
    gaps = (sorted((chance.choice((1, 2, 60_000)), chance.choice((1, 5, 65_535)))) for _ in range(count))
    return pack("!LLHH", tsn, 1000, count, chance.choice((0, 1))) + b"".join(pack("!HH", *gap) for gap in gaps)


def forward(sctp: RTCSctpTransport, chance: random.Random) -> bytes:
    tsn = (sctp._last_received_tsn or 0) + chance.choice((0, 1, 5, 1 << 30))
    return pack("!L", tsn % (1 << 32)) + chance.randbytes(4 * chance.choice((0, 1, 10, 100)))


def reconfiguration(sctp: RTCSctpTransport, chance: random.Random) -> bytes:
    last = (sctp._last_received_tsn or 0) + chance.choice((0, 5))
    return chance.choice(
        (
            pack("!HHLLL", 13, 16, chance.getrandbits(32), 0, last % (1 << 32)),
            pack("!HHLHH", 17, 12, chance.getrandbits(32), 65_535, 0),
            pack("!HHLL", 16, 12, sctp._reconfig_request_seq, chance.choice((0, 1, 6))),
            pack("!HH", chance.choice((13, 16, 17)), chance.choice((0, 3, 4, 8))),
        )
    )


def packets(sctp: RTCSctpTransport, chance: random.Random) -> Iterator[bytes]:
    writers = {0: data, 3: acknowledgement, 192: forward, 130: reconfiguration}
    for _ in range(PACKETS):
        chunks = b""
        for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
            kind = chance.choice(KINDS)
            body = writers[kind](sctp, chance) if kind in writers else chance.randbytes(chance.choice((0, 3, 4, 20)))
            length = len(body) + 4 if chance.random() > 0.05 else chance.randrange(65_536)
            chunks += pack("!BBH", kind, chance.randrange(8), length) + body + bytes(-len(body) % 4)
        tag = sctp._local_verification_tag if chance.random() > 0.05 else 0
        yield serialize_packet(5000, 5000, tag, RawChunk(chunks))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(3))
async def test_no_packet_hangs_fails_or_is_held(seed: int) -> None:
    """Each packet is processed or dropped, and what is held stays within its limits."""
    async with call() as (_, peer):
        sctp = sctp_of(peer)
        for packet in packets(sctp, random.Random(seed)):
            await asyncio.wait_for(sctp._handle_data(packet), HANG_SECONDS)
        assert sum(len(stream.reassembly) for stream in sctp._inbound_streams.values()) <= MAX_HELD
        assert len(sctp._inbound_streams) <= MAX_STREAMS
