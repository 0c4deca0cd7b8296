"""Doors of a session: offers, candidates, datagrams of microphone and network, messages of the data channel."""

import struct
from contextlib import suppress
from time import monotonic
from types import SimpleNamespace
from typing import Any, cast

import aioice
from aioice.ice import StunProtocol
from aiortc import RTCIceTransport
from aiortc.rtcsctptransport import RTCSctpTransport
from aiortc.rtp import RTCP_PSFB_APP, HeaderExtensionsMap, RtcpPacket, RtcpPsfbPacket, RtpPacket, unpack_remb_fci

from tests.hygiene.doors.resources import Resources
from tests.hygiene.structure.control_messages import control_message
from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.packets import rtcp_packets, rtp_packets, stun_messages
from tests.hygiene.structure.sctp_packets import sctp_packets
from tests.hygiene.structure.session_description import fragment, offer
from voice_core.adapters.aiortc_sessions.audio_receiver import AudioReceiver
from voice_core.adapters.aiortc_sessions.datagrams import DatagramLimit
from voice_core.adapters.aiortc_sessions.peers import AiortcPeers
from voice_core.adapters.aiortc_sessions.remote_candidates import RemoteCandidates
from voice_core.adapters.aiortc_sessions.sctp_limit import SctpLimit
from voice_core.functions.session.data_channel import SessionMessageCodec
from voice_core.functions.session.whip import check_fragment

LONGEST_TEXT = 4_000


async def answered_offer(draw: Draw, _: Resources) -> str:
    peer = await AiortcPeers().answer(offer(draw), ())
    await peer.aclose()
    return "answered"


async def trickled_fragment(draw: Draw, _: Resources) -> str:
    """The candidates of a fragment, as far as the session's own state is not needed."""
    text = fragment(draw)
    check_fragment(text, "abcd", "*", '"1"')
    return "accepted" if RemoteCandidates(private=draw.likely(0.5)).trickled(text) else "empty"


async def microphone(draw: Draw, _: Resources) -> str:
    """RTP, as aiortc passes it to the receiver of a session that listens."""
    receiver, refused = AudioReceiver(monotonic), 0
    pcm = receiver.listen()
    for data in rtp_packets(draw):
        try:
            packet: Any = RtpPacket.parse(data, HeaderExtensionsMap())
        except ValueError:
            refused += 1
            continue
        packet._data = packet.payload
        receiver.add(packet)
    receiver.stop()
    heard = sum([len(piece) async for piece in pcm])
    return "heard" if heard else "ignored" if refused else "silent"


async def network_reports(draw: Draw, _: Resources) -> str:
    """RTCP; aiortc ignores packets whose parsing raises ValueError, and ends the session after any other error."""
    ending = "ignored"
    try:
        for data in rtcp_packets(draw):
            with suppress(ValueError):
                for packet in RtcpPacket.parse(data):
                    ending = "accepted"
                    if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
                        unpack_remb_fci(packet.fci)
    except struct.error:
        return "session-ended"
    return ending


async def connectivity_checks(draw: Draw, _: Resources) -> str:
    """STUN, as it arrives at the socket of a session; what is no STUN counts as media."""
    sent: list[bytes] = []
    connection = aioice.Connection(ice_controlling=False, components=1)
    protocol: Any = StunProtocol(connection)
    protocol.transport = SimpleNamespace(sendto=lambda data, _: sent.append(data))
    protocol.local_candidate = SimpleNamespace(component=1)
    connection._protocols = [protocol]
    limit = DatagramLimit(lambda: None)
    limit.follow(cast(RTCIceTransport, SimpleNamespace(_connection=connection)))
    for message in stun_messages(draw):
        protocol.datagram_received(message, ("127.0.0.1", 9))
    return "answered" if sent else "ignored"


async def association(draw: Draw, _: Resources) -> str:
    """SCTP, as it arrives from a peer; the session of a peer that sends too much, or what aiortc cannot read, ends."""
    sent: list[bytes] = []

    async def send(data: bytes) -> None:
        sent.append(data)

    dtls: Any = SimpleNamespace(
        state="connected", _role="server", _send_data=send, _register_data_receiver=id, _unregister_data_receiver=id
    )
    sctp = RTCSctpTransport(dtls)
    # The peer has sent INIT and COOKIE ECHO, and its first data will have the number 1.
    sctp._remote_port, sctp._last_received_tsn = 5_000, 0
    sctp._local_verification_tag, sctp._local_tsn, sctp._last_sacked_tsn = 1, 1, 0
    sctp._set_state(RTCSctpTransport.State.ESTABLISHED)
    excesses: list[bool] = []
    limit = SctpLimit(sctp, lambda: excesses.append(True))
    try:
        for packet in sctp_packets(draw, tag=1, first=0):
            await sctp._handle_data(packet)
            if excesses:
                return "session-ended"
    finally:
        limit.stop()
        await sctp.stop()
    return "answered" if sent else "ignored"


async def message(draw: Draw, _: Resources) -> str:
    made = control_message(draw)
    text = made if isinstance(made, str) else made.decode(errors="replace")
    SessionMessageCodec(LONGEST_TEXT).read(text)
    return "accepted"
