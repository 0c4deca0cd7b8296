"""Limits of what one client sends over its connection: packets, sources, streams, chunks and messages."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from struct import pack
from types import SimpleNamespace
from typing import Any

import pytest
from aioice import Connection
from aioice.ice import StunProtocol
from aiortc import RTCSctpTransport
from aiortc.rtcsctptransport import DataChunk, ForwardTsnChunk, serialize_packet
from aiortc.rtp import RTCP_RTPFB_NACK, RtcpRtpfbPacket, RtpPacket

from fakes.eventually import HANG_SECONDS, eventually
from fakes.webrtc import Caller
from tests.growth.factor import MOST_GROWTH
from tests.growth.work import counted_calls
from tests.virtual_time import block, in_virtual_time
from voice_core.adapters.aiortc_sessions import data_channel, datagrams, rtp_limit, sctp_limit
from voice_core.adapters.aiortc_sessions.datagrams import DatagramLimit, DatagramTap
from voice_core.adapters.aiortc_sessions.peer import AiortcPeer
from voice_core.adapters.aiortc_sessions.peers import AiortcPeers
from voice_core.domain.session import PeerConnected, PeerEvent, PeerExceeded, PeerMessage
from voice_core.domain.token_bucket import TokenBucket

FIRST, LAST, UNORDERED = 2, 1, 4
"""Flags of a chunk of data."""


@asynccontextmanager
async def call() -> AsyncIterator[tuple[Caller, AiortcPeer]]:
    """A connected client whose microphone is off, and the product's peer for it."""
    caller = Caller()

    async def nothing() -> Any:
        await asyncio.Event().wait()

    vars(caller.mouth)["recv"] = nothing
    peer = await AiortcPeers().answer(await caller.offer(), ())
    try:
        await caller.accept(peer.answer)
        await caller.connected()
        assert await next_event(peer) == PeerConnected()
        yield caller, peer
    finally:
        await caller.close()
        await peer.aclose()


async def next_event(peer: AiortcPeer) -> PeerEvent:
    return await asyncio.wait_for(peer.happened(), HANG_SECONDS)


async def answers(caller: Caller, peer: AiortcPeer, text: str = "still here") -> bool:
    """Whether a message of the client arrives next."""
    caller.send(text)
    return await next_event(peer) == PeerMessage(text)


def sctp_of(end: Caller | AiortcPeer) -> RTCSctpTransport:
    """The SCTP of the client, or of the product's peer."""
    sctp = end.connection.sctp if isinstance(end, Caller) else end._connection.sctp
    assert sctp is not None
    return sctp


def data(tsn: int, *, flags: int, stream: int = 1, content: bytes = b"y") -> DataChunk:
    chunk = DataChunk(flags=flags)
    chunk.tsn, chunk.stream_id, chunk.stream_seq, chunk.protocol = tsn % (1 << 32), stream, 500, 51
    chunk.user_data = content
    return chunk


async def send_chunks(caller: Caller, chunks: Iterator[Any]) -> None:
    """Send *chunks*, a packet for each, slowly enough for the socket's buffer."""
    for number, chunk in enumerate(chunks):
        await sctp_of(caller)._send_chunk(chunk)
        if number % 10 == 9:
            await asyncio.sleep(0.001)


async def send_body(caller: Caller, kind: int, body: bytes) -> None:
    """Send a packet with one chunk of *kind* that has *body*."""
    sctp = sctp_of(caller)
    raw = pack("!BBH", kind, 0, len(body) + 4) + body + bytes(-len(body) % 4)

    class Raw:
        def __bytes__(self) -> bytes:
            return raw

    packet = serialize_packet(5000, 5000, sctp._remote_verification_tag, Raw())  # type: ignore[arg-type]
    await sctp.transport._send_data(packet)


def gaps(caller: Caller, count: int) -> Iterator[DataChunk]:
    """Chunks of which every other one is missing."""
    base = sctp_of(caller)._local_tsn
    return (data(base + 2 + 2 * number, flags=UNORDERED) for number in range(count))


async def test_a_message_that_is_never_complete_closes_the_session() -> None:
    """Chunks of one message are held up to a number; a client that sends more has exceeded its share."""
    async with call() as (caller, peer):
        base = sctp_of(caller)._local_tsn
        chunks = (data(base + n, flags=0 if n else FIRST) for n in range(sctp_limit.MAX_HELD + 50))
        await send_chunks(caller, chunks)
        assert await next_event(peer) == PeerExceeded()
        inbound = sctp_of(peer)._inbound_streams.values()
        assert sum(len(stream.reassembly) for stream in inbound) <= sctp_limit.MAX_HELD + 50


async def test_chunks_far_ahead_of_a_missing_one_are_dropped() -> None:
    """No more are held than the window has, and the session continues."""
    async with call() as (caller, peer):
        await send_chunks(caller, gaps(caller, sctp_limit.WINDOW))
        await eventually(lambda: len(sctp_of(peer)._sack_misordered) > sctp_limit.WINDOW // 2 - 3)
        assert await answers(caller, peer)
        assert len(sctp_of(peer)._sack_misordered) <= sctp_limit.WINDOW // 2


async def test_streams_are_limited() -> None:
    """A client may use some streams, and those beyond are not created."""
    async with call() as (caller, peer):
        forward = ForwardTsnChunk()
        forward.cumulative_tsn = (sctp_of(caller)._local_tsn - 1) % (1 << 32)
        forward.streams = [(number, 0) for number in range(200)]
        await send_chunks(caller, iter([forward]))
        base = sctp_of(caller)._local_tsn
        await send_chunks(caller, (data(base + 2 + n, flags=FIRST, stream=100 + n) for n in range(100)))
        assert await answers(caller, peer)
        assert len(sctp_of(peer)._inbound_streams) <= sctp_limit.MAX_STREAMS


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param(1, bytes(16) + bytes(4), id="INIT with a parameter of length 0"),
        pytest.param(2, bytes(16) + bytes(8), id="INIT ACK"),
        pytest.param(4, bytes(4), id="HEARTBEAT"),
        pytest.param(5, bytes(4), id="HEARTBEAT ACK"),
        pytest.param(6, bytes(4), id="ABORT"),
        pytest.param(9, bytes(4), id="ERROR"),
        pytest.param(130, bytes(4), id="RE-CONFIG"),
        pytest.param(130, pack("!HH", 13, 4) * 40, id="many parameters"),
        pytest.param(1, bytes(8), id="short INIT"),
        pytest.param(3, bytes(8), id="short SACK"),
        pytest.param(3, pack("!LLHH", 0, 0, 100, 0), id="SACK without its blocks"),
        pytest.param(3, pack("!LLHH", 0, 0, 200, 0) + pack("!HH", 1, 65_535) * 200, id="SACK of millions"),
        pytest.param(3, pack("!LLHH", 0, 0, 1, 0) + pack("!HH", 2, 1), id="SACK in reverse"),
        pytest.param(0, bytes(12), id="no data"),
        pytest.param(0, bytes(3), id="short data"),
        pytest.param(192, bytes(2), id="short FORWARD TSN"),
        pytest.param(192, bytes(7), id="odd FORWARD TSN"),
    ],
)
async def test_an_invalid_packet_changes_nothing(kind: int, body: bytes) -> None:
    """It is dropped before aiortc would loop, fail or count for long, and the session continues."""
    async with call() as (caller, peer):
        await send_body(caller, kind, body)
        assert await answers(caller, peer)


async def test_a_packet_that_aiortc_fails_at_closes_the_session() -> None:
    """A message that is no UTF-8 ends the session with a reason, and not with an error in the log."""
    async with call() as (caller, peer):
        flags, stream = FIRST | LAST | UNORDERED, next(iter(sctp_of(caller)._data_channels))
        chunk = data(sctp_of(caller)._local_tsn, flags=flags, stream=stream, content=b"\xff")
        await send_chunks(caller, iter([chunk]))
        assert await next_event(peer) == PeerExceeded()


async def test_the_work_for_gaps_grows_with_their_number() -> None:
    """Four times the chunks with gaps take four times the calls, not sixteen times."""
    counts = []
    for count in (200, 800):
        async with call() as (caller, peer):
            packets = [
                serialize_packet(5000, 5000, sctp_of(peer)._local_verification_tag, chunk)
                for chunk in gaps(caller, count)
            ]
            with counted_calls() as calls:
                for packet in packets:
                    await sctp_of(peer)._handle_data(packet)
            counts.append(next(calls))
    assert counts[1] <= MOST_GROWTH * counts[0]


async def test_all_records_of_a_datagram_are_read() -> None:
    """Messages in the records after the first arrive too, instead of staying in memory."""
    async with call() as (caller, peer):
        sctp = sctp_of(caller)
        transport, sent = sctp.transport, list[bytes]()

        async def hold(data: bytes) -> None:
            sent.append(data)

        send, transport.transport._send = transport.transport._send, hold
        for text in ("a", "b", "c"):
            caller.send(text)
            await eventually(lambda: not sctp._outbound_queue and not sctp._data_channel_queue)
        assert len(sent) == 3
        transport.transport._send = send
        await send(b"".join(sent))
        assert [await next_event(peer) for _ in range(3)] == [PeerMessage("a"), PeerMessage("b"), PeerMessage("c")]


async def test_a_client_that_sends_too_many_messages_has_exceeded_its_share() -> None:
    """The messages up to that number are delivered, then `PeerExceeded` once, and no others."""
    async with call() as (caller, peer):
        for number in range(data_channel.MESSAGES_AT_ONCE + 50):
            caller.send(str(number))
        events: list[PeerEvent] = []
        while not events or events[-1] != PeerExceeded():
            events.append(await next_event(peer))
        assert events[:-1][: data_channel.MESSAGES_AT_ONCE] == [
            PeerMessage(str(number)) for number in range(data_channel.MESSAGES_AT_ONCE)
        ]


async def test_sources_are_limited() -> None:
    """aiortc remembers every source for ever, so it receives packets of the first few only."""
    async with call() as (caller, peer):
        sender = caller.connection.getTransceivers()[0].sender
        payload_type = peer._media._codecs[0].payloadType
        assert payload_type is not None
        for number in range(3 * rtp_limit.MAX_SOURCES):
            packet = RtpPacket(
                payload_type=payload_type, sequence_number=1, ssrc=1000 + number, payload=b"\xf8\xff\xfe"
            )
            await sender.transport._send_rtp(packet.serialize())
        assert await answers(caller, peer)
        assert len(peer._media.receiver.transport._rtp_router.ssrc_table) <= rtp_limit.MAX_SOURCES


async def test_requests_to_send_sound_again_are_ignored() -> None:
    """They are not negotiated, and one packet could name thousands of packets."""
    async with call() as (caller, peer):
        resent: list[int] = []

        async def resend(sequence_number: int) -> None:
            resent.append(sequence_number)

        vars(peer._media.sender)["_retransmit"] = resend
        request = RtcpRtpfbPacket(RTCP_RTPFB_NACK, 1, peer._media.sender._ssrc, list(range(100)))
        await caller.connection.getTransceivers()[0].sender.transport._send_rtp(bytes(request))
        assert await answers(caller, peer)
        assert not resent


class Socket:
    """Notes what is received."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def datagram_received(self, data: bytes, _address: Any) -> None:
        self.received.append(data)


def limited(on_flood: Any = None) -> tuple[DatagramLimit, Socket]:
    """A limit on one socket of a connection with the name ``ours``."""
    socket = Socket()
    limit = DatagramLimit(on_flood or (lambda: None))
    connection: Any = SimpleNamespace(_protocols=[socket], local_username="ours")
    limit.follow(SimpleNamespace(_connection=connection))  # type: ignore[arg-type]
    return limit, socket


def test_packets_are_limited_by_the_second() -> None:
    """As many as arrive at once after an outage pass, then as many a second; a flood is reported."""

    async def flooded() -> tuple[list[int], int]:
        floods = 0

        def flood() -> None:
            nonlocal floods
            floods += 1

        _, socket = limited(flood)
        passed = []
        for _ in range(3):
            for _ in range(2 * datagrams.PACKETS_AT_ONCE):
                socket.datagram_received(b"\x80", ("192.0.2.1", 9))
            passed.append(len(socket.received))
            block(1.0)
        for _ in range(datagrams.MAX_DROPPED):
            socket.datagram_received(b"\x80", ("192.0.2.1", 9))
        return passed, floods

    passed, floods = in_virtual_time(flooded())
    first, rate = datagrams.PACKETS_AT_ONCE, datagrams.PACKETS_PER_SECOND
    assert passed == [first, first + rate, first + 2 * rate]
    assert floods


def test_addresses_of_checks_are_limited() -> None:
    """Checks with our name from ever new addresses are dropped after some; known ones and other packets pass."""

    async def received() -> list[bytes]:
        limit, socket = limited()
        for port in range(2 * datagrams.MAX_SOURCES):
            socket.datagram_received(b"\x00ours:theirs", ("192.0.2.1", port))
        for port in (0, datagrams.MAX_SOURCES):
            socket.datagram_received(b"\x00ours:theirs!", ("192.0.2.1", port))
            socket.datagram_received(b"\x01\x01 a response", ("192.0.2.1", port))
            socket.datagram_received(b"", ("192.0.2.1", port))
        limit.stop()
        return socket.received[datagrams.MAX_SOURCES :]

    assert in_virtual_time(received()) == [b"\x00ours:theirs!", b"\x01\x01 a response", b"\x01\x01 a response"]


@pytest.mark.parametrize("attribute", [0x0024, 0x8028])
async def test_checks_that_cannot_be_read_are_dropped(attribute: int) -> None:
    """A STUN message with an attribute of the wrong length raises no error, which the event loop would log."""
    protocol = StunProtocol(Connection(ice_controlling=False, components=1))
    tap = DatagramTap(lambda _data, _address: True)
    tap._tap(protocol)
    message = pack("!HHI12sHH", 1, 4, 0x2112A442, bytes(12), attribute, 0)
    protocol.datagram_received(message, ("127.0.0.1", 9))
    tap.stop()
    with pytest.raises((struct.error, IndexError)):
        protocol.datagram_received(message, ("127.0.0.1", 9))


def test_a_token_bucket_fills_with_time() -> None:
    """It holds no more than its most, and a clock that steps back takes nothing away."""
    bucket = TokenBucket(per_second=2, most=3)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(0.5), bucket.take(1.0), bucket.take(100.0, 3), bucket.take(100.0)] == [False, True, True, False]
