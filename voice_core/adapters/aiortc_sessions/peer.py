"""The `Peer` port: one client's connection."""

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
"""How long aiortc may take to close a connection; after that a warning is logged."""

_UFRAG = re.compile(r"^a=ice-ufrag:(\S+)", re.MULTILINE)

logger = logging.getLogger(__name__)


class AiortcPeer:
    """A *connection* whose offer has been answered; *media* is its audio in both directions."""

    def __init__(self, connection: RTCPeerConnection, media: RTCRtpTransceiver, sender: AudioSender) -> None:
        self._connection, self._media = connection, media
        self._sender = sender
        self._receiver = AudioReceiver(lambda: self._liveness.last_sign_at)
        self._channel = Channel(lambda text: self._emit(PeerMessage(text)))
        self._events: asyncio.Queue[PeerEvent] = asyncio.Queue()
        # This is the only buffer of aiortc's that would delay audio; tests check that it is still there.
        vars(media.receiver)["_RTCRtpReceiver__jitter_buffer"] = self._receiver
        self._liveness = Liveness(lambda: self._emit(PeerSilent()), lambda: self._emit(PeerResumed()))
        connection.on("datachannel", self._attach)
        connection.on("connectionstatechange", self._connection_changed)

    @property
    def answer(self) -> str:
        """The SDP answer."""
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
        """How much of the latest reply has been sent; the client plays all that was sent."""
        return self._sender.heard_seconds

    async def happened(self) -> PeerEvent:
        return await self._events.get()

    def send(self, text: str) -> None:
        self._channel.send(text)

    def listen(self) -> AsyncGenerator[bytes]:
        return self._receiver.listen()

    def stop_listening(self, trailing_seconds: float = 0.0) -> None:
        self._receiver.stop(trailing_seconds)

    def wake(self) -> None:
        self._sender.wake()

    def play(self, pcm: bytes) -> None:
        # A client that only sends, as WHIP clients usually do, receives no packets: `played` would never return.
        if self._media.currentDirection in ("sendrecv", "sendonly"):
            self._sender.play(pcm)

    async def played(self) -> None:
        await self._sender.played()

    def hush(self) -> None:
        self._sender.hush()

    async def add_candidates(self, fragment: str) -> None:
        for candidate in candidates(fragment):
            await self._connection.addIceCandidate(candidate)

    async def aclose(self) -> None:
        """Close the connection, once its last message has left."""
        self._receiver.stop()
        try:
            await self._channel.flush()
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._connection.close()
        except TimeoutError:
            logger.warning("a connection does not close")
        finally:
            self._liveness.stop()
            self._sender.stop()

    def _emit(self, event: PeerEvent) -> None:
        self._events.put_nowait(event)

    def _attach(self, channel: RTCDataChannel) -> None:
        self._channel.attach(channel)

    def _connection_changed(self) -> None:
        match self._connection.connectionState:
            case "connected":
                self._liveness.follow(self._media.receiver.transport.transport)
                self._emit(PeerConnected())
            case "failed" | "closed":
                self._emit(PeerClosed())
            case _:
                pass
