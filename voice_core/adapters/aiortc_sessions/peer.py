"""One client, as the product meets it."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator

from aiortc import RTCDataChannel, RTCPeerConnection, RTCRtpTransceiver

from voice_core.adapters.aiortc_sessions.audio_receiver import AudioReceiver
from voice_core.adapters.aiortc_sessions.audio_sender import AudioSender
from voice_core.adapters.aiortc_sessions.data_channel import Channel
from voice_core.adapters.aiortc_sessions.liveness import Liveness
from voice_core.adapters.aiortc_sessions.trickle_ice import candidates
from voice_core.domain.session import PeerClosed, PeerConnected, PeerEvent, PeerMessage, PeerResumed, PeerSilent

CLOSE_SECONDS = 5.0
"""For aiortc to let go of a connection; what it then still holds is logged."""

_UFRAG = re.compile(r"^a=ice-ufrag:(\S+)", re.MULTILINE)

logger = logging.getLogger(__name__)


class AiortcPeer:
    """A connection that has been answered; *media* is its audio, both ways."""

    def __init__(self, connection: RTCPeerConnection, media: RTCRtpTransceiver, speaker: AudioSender) -> None:
        self._connection, self._media = connection, media
        self._speaker = speaker
        self._microphone = AudioReceiver(lambda: self._pulse.heard)
        self._channel = Channel(lambda text: self._tell(PeerMessage(text)))
        self._happened: asyncio.Queue[PeerEvent] = asyncio.Queue()
        # The one buffer of aiortc's that would hold sound back; tests see to it that it has not moved.
        vars(media.receiver)["_RTCRtpReceiver__jitter_buffer"] = self._microphone
        self._pulse = Liveness(lambda: self._tell(PeerSilent()), lambda: self._tell(PeerResumed()))
        connection.on("datachannel", self._attach)
        connection.on("connectionstatechange", self._connection_changed)

    @property
    def answer(self) -> str:
        """Our half of the negotiation, SDP."""
        return str(self._connection.localDescription.sdp)

    @property
    def writes(self) -> bool:
        """Whether the client offered a data channel."""
        return self._connection.sctp is not None

    @property
    def ice(self) -> str:
        """The user fragment of the client's ICE session."""
        found = _UFRAG.search(self._connection.remoteDescription.sdp)
        return found[1] if found else ""

    @property
    def heard_seconds(self) -> float:
        """How much of the latest reply has left for the client, who hears all that has."""
        return self._speaker.heard_seconds

    async def happened(self) -> PeerEvent:
        return await self._happened.get()

    def send(self, text: str) -> None:
        self._channel.send(text)

    def listen(self) -> AsyncGenerator[bytes]:
        return self._microphone.listen()

    def stop_listening(self, trailing_seconds: float = 0.0) -> None:
        self._microphone.stop(trailing_seconds)

    def wake(self) -> None:
        self._speaker.wake()

    def play(self, pcm: bytes) -> None:
        # A client that only sends, as WHIP's usually do, takes no packet: nothing would ever have been played.
        if self._media.currentDirection in ("sendrecv", "sendonly"):
            self._speaker.play(pcm)

    async def played(self) -> None:
        await self._speaker.played()

    def hush(self) -> None:
        self._speaker.hush()

    async def add_candidates(self, fragment: str) -> None:
        for candidate in candidates(fragment):
            await self._connection.addIceCandidate(candidate)

    async def aclose(self) -> None:
        """Close the connection, once its last message has left."""
        self._microphone.stop()
        try:
            await self._channel.flush()
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._connection.close()
        except TimeoutError:
            logger.warning("a connection does not close")
        finally:
            self._pulse.stop()
            self._speaker.stop()

    def _tell(self, event: PeerEvent) -> None:
        self._happened.put_nowait(event)

    def _attach(self, channel: RTCDataChannel) -> None:
        self._channel.attach(channel)

    def _connection_changed(self) -> None:
        match self._connection.connectionState:
            case "connected":
                self._pulse.follow(self._media.receiver.transport.transport)
                self._tell(PeerConnected())
            case "failed" | "closed":
                self._tell(PeerClosed())
            case _:
                pass
