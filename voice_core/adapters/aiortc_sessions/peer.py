"""The `Peer` port: one client's connection."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable

from aiortc import RTCDataChannel, RTCIceCandidate, RTCIceTransport, RTCPeerConnection, RTCRtpTransceiver

from voice_core.adapters.aiortc_sessions.answer import answer
from voice_core.adapters.aiortc_sessions.audio_receiver import AudioReceiver
from voice_core.adapters.aiortc_sessions.audio_sender import AudioSender
from voice_core.adapters.aiortc_sessions.data_channel import Channel
from voice_core.adapters.aiortc_sessions.datagrams import DatagramLimit
from voice_core.adapters.aiortc_sessions.dtls_records import DtlsRecords
from voice_core.adapters.aiortc_sessions.liveness import Liveness
from voice_core.adapters.aiortc_sessions.offer import Offer
from voice_core.adapters.aiortc_sessions.remote_candidates import RemoteCandidates
from voice_core.adapters.aiortc_sessions.rtp_limit import RtpLimit
from voice_core.adapters.aiortc_sessions.sctp_limit import SctpLimit
from voice_core.domain.session import (
    PeerClosed,
    PeerConnected,
    PeerEvent,
    PeerExceeded,
    PeerMessage,
    PeerResumed,
    PeerSilent,
)

CLOSE_SECONDS = 5.0
"""How long aiortc may take to close a connection; after that a warning is logged."""

logger = logging.getLogger(__name__)


class AiortcPeer:
    """A *connection* to the client of *offer*; *media* is its audio in both directions, *sender* ours."""

    def __init__(
        self,
        connection: RTCPeerConnection,
        media: RTCRtpTransceiver,
        sender: AudioSender,
        offer: Offer,
        candidates: RemoteCandidates,
    ) -> None:
        self._connection, self._media = connection, media
        self._sender = sender
        self._offer, self._candidates = offer, candidates
        self._receiver = AudioReceiver(lambda: self._liveness.last_sign_at)
        self._channel = Channel(lambda text: self._emit(PeerMessage(text)), self._exceed)
        self._events: asyncio.Queue[PeerEvent] = asyncio.Queue()
        self._exceeded = False
        # This is the only buffer of aiortc's that would delay audio; tests check that it is still there.
        vars(media.receiver)["_RTCRtpReceiver__jitter_buffer"] = self._receiver
        self._liveness = Liveness(lambda: self._emit(PeerSilent()), lambda: self._emit(PeerResumed()))
        transport = media.receiver.transport
        self._datagrams = DatagramLimit(self._exceed)
        self._limits: list[DtlsRecords | RtpLimit | SctpLimit] = [DtlsRecords(transport), RtpLimit(transport)]
        if connection.sctp is not None:
            self._limits.append(SctpLimit(connection.sctp, self._exceed))
        connection.on("datachannel", self._attach)
        connection.on("connectionstatechange", self._connection_changed)

    @property
    def answer(self) -> str:
        """The SDP answer."""
        return answer(self._offer, self._connection.localDescription.sdp)

    @property
    def reachable(self) -> bool:
        """Whether we have an address at which the client could reach us."""
        return bool(self._transport.iceGatherer.getLocalCandidates())

    @property
    def writes(self) -> bool:
        """Whether the client offered a data channel."""
        return self._connection.sctp is not None

    @property
    def ice(self) -> str:
        """The user fragment of the client's ICE session."""
        return self._offer.ufrag

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
        await self._add(self._candidates.trickled(fragment))

    async def connect(self) -> None:
        """Gather our candidates, and begin to connect.

        Raises:
            InvalidInput: ``offer-invalid`` or ``offer-tcp-only``, for the candidates of the offer.
        """
        await self._add(self._candidates.offered(self._offer.candidates(), complete=self._offer.complete))
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        self._datagrams.follow(self._transport)

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
            self._datagrams.stop()
            for limit in self._limits:
                limit.stop()
            self._sender.stop()

    @property
    def _transport(self) -> RTCIceTransport:
        return self._media.receiver.transport.transport

    async def _add(self, candidates: Iterable[RTCIceCandidate]) -> None:
        for candidate in candidates:
            await self._transport.addRemoteCandidate(candidate)

    def _exceed(self) -> None:
        """Report, once, that the client has sent more than a session may."""
        if not self._exceeded:
            self._exceeded = True
            self._emit(PeerExceeded())

    def _emit(self, event: PeerEvent) -> None:
        self._events.put_nowait(event)

    def _attach(self, channel: RTCDataChannel) -> None:
        self._channel.attach(channel)

    def _connection_changed(self) -> None:
        match self._connection.connectionState:
            case "connected":
                self._liveness.follow(self._transport)
                self._emit(PeerConnected())
            case "failed" | "closed":
                self._emit(PeerClosed())
            case _:
                pass
