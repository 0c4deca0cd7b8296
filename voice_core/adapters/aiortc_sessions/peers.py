"""Answers offers."""

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
    """Makes one connection an offer; with *relay_only* no address but a relay's is used or told."""

    def __init__(self, *, relay_only: bool = False) -> None:
        self._policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        # It logs the addresses of everybody's telephone at INFO.
        logging.getLogger("aioice").setLevel(logging.WARNING)

    async def answer(self, offer: str, servers: Sequence[IceServer]) -> AiortcPeer:
        """Answer *offer* with all of our candidates.

        Raises:
            InvalidInput: ``offer-invalid``; it is no SDP, or has no Opus in it.
            StageFailed: with stage ``relay``; there is no address at which we could be reached.
        """
        connection = RTCPeerConnection(_configuration(servers, self._policy))
        try:
            speaker = AudioSender()
            media = _opus_both_ways(connection, speaker)
            answer = await _answer(connection, media, offer)
            # Before the answer is made ours: from then on the connection is being made.
            peer = AiortcPeer(connection, media, speaker)
            await connection.setLocalDescription(answer)
            if "a=candidate:" not in peer.answer:
                raise StageFailed("No relay can be reached.", code="relay-unreachable", stage="relay")
        except BaseException:
            # aiortc (1.16) stumbles over what an offer has left half made; its sockets come later.
            with suppress(AttributeError):
                await connection.close()
            raise
        return peer


def _configuration(servers: Sequence[IceServer], policy: RTCIceTransportPolicy) -> RTCConfiguration:
    known = [RTCIceServer(list(s.urls), s.username or None, s.credential or None) for s in servers]
    return RTCConfiguration(known, policy, RTCBundlePolicy.MAX_BUNDLE)


def _opus_both_ways(connection: RTCPeerConnection, speaker: AudioSender) -> RTCRtpTransceiver:
    media = connection.addTransceiver(speaker, "sendrecv")
    known = RTCRtpReceiver.getCapabilities("audio")
    media.setCodecPreferences([codec for codec in known.codecs if codec.mimeType == "audio/opus"] if known else [])
    return media


async def _answer(connection: RTCPeerConnection, media: RTCRtpTransceiver, offer: str) -> RTCSessionDescription:
    # Whoever leaves it to us is the client of the handshake, as RFC 9725 has it: as a client aiortc does without RSA,
    # which is what GStreamer's certificates have.
    offer = _with_directions(offer).replace("a=setup:actpass", "a=setup:active")
    try:
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        if media.mid is not None:
            for other in connection.getTransceivers():
                if other is not media:
                    other.direction = "inactive"
            return await connection.createAnswer()
    except Exception as error:  # its parser raises whatever comes to it
        raise InvalidInput("This offer cannot be answered: it must be SDP with Opus.", code="offer-invalid") from error
    raise InvalidInput("This offer has no audio in it.", code="offer-invalid")


def _with_directions(offer: str) -> str:
    """*offer* with the direction that media have where none is told (RFC 8866, 6.7), which aiortc does not know of."""
    head, *sections = re.split(r"^(?=m=)", offer, flags=re.MULTILINE)
    default = _DIRECTION.search(head)
    told = default[0] if default else "a=sendrecv"
    silent = [section.startswith(_MEDIA) and not _DIRECTION.search(section) for section in sections]
    ended = (f"{s.rstrip()}\r\n{told}\r\n" if each else s for s, each in zip(sections, silent, strict=True))
    return "".join((head, *ended))
