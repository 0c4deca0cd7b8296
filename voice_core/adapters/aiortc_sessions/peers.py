"""The `Peers` port: answers SDP offers."""

import logging
from collections.abc import Sequence
from contextlib import suppress

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from voice_core.adapters.aiortc_sessions.audio_sender import AudioSender
from voice_core.adapters.aiortc_sessions.offer import parsed_offer
from voice_core.adapters.aiortc_sessions.peer import AiortcPeer
from voice_core.adapters.aiortc_sessions.remote_candidates import RemoteCandidates
from voice_core.domain.errors import InvalidInput, StageFailed
from voice_core.domain.session import IceServer


class AiortcPeers:
    """Creates one connection for each offer.

    With *relay_only* only the addresses of relays are used and published. Otherwise, addresses of special purposes in
    an offer, such as private ones, are used only with *private_addresses*: a caller could reach our network with them.
    """

    def __init__(self, *, relay_only: bool = False, private_addresses: bool = False) -> None:
        self._policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        self._private = relay_only or private_addresses
        # aioice logs the addresses of clients at INFO.
        logging.getLogger("aioice").setLevel(logging.WARNING)

    async def answer(self, offer: str, servers: Sequence[IceServer]) -> AiortcPeer:
        """Answer *offer* with all of our candidates.

        Raises:
            InvalidInput: ``offer-invalid``; the offer is not SDP, or has no Opus. ``offer-tcp-only``.
            StageFailed: with stage ``relay``; there is no address at which clients could reach us.
        """
        offered = parsed_offer(offer)
        reduced = offered.reduced()
        connection = RTCPeerConnection(_configuration(servers, self._policy))
        try:
            sender = AudioSender()
            media = _opus_both_ways(connection, sender)
            await _receive(connection, reduced)
            peer = AiortcPeer(connection, media, sender, offered, RemoteCandidates(private=self._private))
            await peer.connect()
            if not peer.reachable:
                raise StageFailed("No relay can be reached.", code="relay-unreachable", stage="relay")
        except BaseException:
            # aiortc (1.16) raises AttributeError for a half-initialised connection. It has opened no sockets yet.
            with suppress(AttributeError):
                await connection.close()
            raise
        return peer


def _configuration(servers: Sequence[IceServer], policy: RTCIceTransportPolicy) -> RTCConfiguration:
    known = [RTCIceServer(list(s.urls), s.username or None, s.credential or None) for s in servers]
    return RTCConfiguration(known, policy, RTCBundlePolicy.MAX_BUNDLE)


def _opus_both_ways(connection: RTCPeerConnection, sender: AudioSender) -> RTCRtpTransceiver:
    media = connection.addTransceiver(sender, "sendrecv")
    known = RTCRtpReceiver.getCapabilities("audio")
    media.setCodecPreferences([codec for codec in known.codecs if codec.mimeType == "audio/opus"] if known else [])
    return media


async def _receive(connection: RTCPeerConnection, reduced: str) -> None:
    try:
        await connection.setRemoteDescription(RTCSessionDescription(reduced, "offer"))
    except Exception as error:  # aiortc's parser raises many types
        raise InvalidInput("This offer cannot be answered: its SDP is invalid.", code="offer-invalid") from error
