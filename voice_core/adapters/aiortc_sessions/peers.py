"""Answers offers."""

from collections.abc import Sequence

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

from voice_core.adapters.aiortc_sessions.peer import AiortcPeer
from voice_core.adapters.aiortc_sessions.speaker import Speaker
from voice_core.domain.errors import InvalidInput, StageFailed
from voice_core.domain.session import IceServer


class AiortcPeers:
    """Makes one connection an offer; with *relay_only* no address but a relay's is used or told."""

    def __init__(self, *, relay_only: bool = False) -> None:
        self._policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL

    async def answer(self, offer: str, servers: Sequence[IceServer]) -> AiortcPeer:
        """Answer *offer* with all of our candidates.

        Raises:
            InvalidInput: ``offer-invalid``; it is no SDP, or has no Opus in it.
            StageFailed: with stage ``relay``; there is no address at which we could be reached.
        """
        connection = RTCPeerConnection(_configuration(servers, self._policy))
        try:
            speaker = Speaker()
            media = _opus_both_ways(connection, speaker)
            await _take_offer(connection, media, offer)
            # Before the answer is made ours: from then on the connection is being made.
            peer = AiortcPeer(connection, media, speaker)
            await connection.setLocalDescription(await connection.createAnswer())
            if "a=candidate:" not in peer.answer:
                raise StageFailed("No relay can be reached.", code="relay-unreachable", stage="relay")
        except BaseException:
            await connection.close()
            raise
        return peer


def _configuration(servers: Sequence[IceServer], policy: RTCIceTransportPolicy) -> RTCConfiguration:
    known = [RTCIceServer(list(s.urls), s.username or None, s.credential or None) for s in servers]
    return RTCConfiguration(known, policy, RTCBundlePolicy.MAX_BUNDLE)


def _opus_both_ways(connection: RTCPeerConnection, speaker: Speaker) -> RTCRtpTransceiver:
    media = connection.addTransceiver(speaker, "sendrecv")
    known = RTCRtpReceiver.getCapabilities("audio")
    media.setCodecPreferences([codec for codec in known.codecs if codec.mimeType == "audio/opus"] if known else [])
    return media


async def _take_offer(connection: RTCPeerConnection, media: RTCRtpTransceiver, offer: str) -> None:
    # Whoever leaves it to us is the client of the handshake, as RFC 9725 has it: as a client aiortc does without RSA,
    # which is what GStreamer's certificates have.
    offer = offer.replace("a=setup:actpass", "a=setup:active")
    try:
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    except Exception as error:  # its parser raises whatever comes to it
        raise InvalidInput("This offer cannot be answered: it must be SDP with Opus.", code="offer-invalid") from error
    if media.mid is None:
        raise InvalidInput("This offer has no audio in it.", code="offer-invalid")
    for other in connection.getTransceivers():
        if other is not media:
            other.direction = "inactive"
