"""The `Peers` port: answers SDP offers."""

import logging
import re
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
from voice_core.adapters.aiortc_sessions.peer import AiortcPeer
from voice_core.domain.errors import InvalidInput, StageFailed
from voice_core.domain.session import IceServer

_DIRECTION = re.compile(r"^a=(?:sendrecv|sendonly|recvonly|inactive)\b", re.MULTILINE)
_MEDIA = ("m=audio", "m=video")


class AiortcPeers:
    """Creates one connection for each offer. With *relay_only* only the addresses of relays are used and published."""

    def __init__(self, *, relay_only: bool = False) -> None:
        self._policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        # aioice logs the addresses of clients at INFO.
        logging.getLogger("aioice").setLevel(logging.WARNING)

    async def answer(self, offer: str, servers: Sequence[IceServer]) -> AiortcPeer:
        """Answer *offer* with all of our candidates.

        Raises:
            InvalidInput: ``offer-invalid``; the offer is not SDP, or has no Opus.
            StageFailed: with stage ``relay``; there is no address at which clients could reach us.
        """
        connection = RTCPeerConnection(_configuration(servers, self._policy))
        try:
            sender = AudioSender()
            media = _opus_both_ways(connection, sender)
            answer = await _answer(connection, media, offer)
            # Create the peer before setLocalDescription, which starts to connect.
            peer = AiortcPeer(connection, media, sender)
            await connection.setLocalDescription(answer)
            if "a=candidate:" not in peer.answer:
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


async def _answer(connection: RTCPeerConnection, media: RTCRtpTransceiver, offer: str) -> RTCSessionDescription:
    # A client that offers actpass gets the DTLS client role, as RFC 9725 specifies. As DTLS client, aiortc would not
    # support RSA, which GStreamer's certificates use.
    offer = _with_directions(offer).replace("a=setup:actpass", "a=setup:active")
    try:
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        if media.mid is not None:
            for other in connection.getTransceivers():
                if other is not media:
                    other.direction = "inactive"
            return await connection.createAnswer()
    except Exception as error:  # aiortc's parser raises many types
        raise InvalidInput("This offer cannot be answered: it must be SDP with Opus.", code="offer-invalid") from error
    raise InvalidInput("This offer has no audio in it.", code="offer-invalid")


def _with_directions(offer: str) -> str:
    """*offer* with the default direction (RFC 8866, 6.7) in media sections that have none: aiortc does not apply it."""
    head, *sections = re.split(r"^(?=m=)", offer, flags=re.MULTILINE)
    default = _DIRECTION.search(head)
    direction = default[0] if default else "a=sendrecv"
    undirected = [section.startswith(_MEDIA) and not _DIRECTION.search(section) for section in sections]
    added = (f"{s.rstrip()}\r\n{direction}\r\n" if each else s for s, each in zip(sections, undirected, strict=True))
    return "".join((head, *added))
