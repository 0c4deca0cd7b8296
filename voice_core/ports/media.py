"""WebRTC peers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from voice_core.domain.session import IceServer, PeerEvent


class Peer(Protocol):
    """The client's end of a session: its microphone, its loudspeaker, and messages in both directions."""

    @property
    def answer(self) -> str:
        """Our SDP answer."""

    @property
    def writes(self) -> bool:
        """Whether there is a data channel; without one no message can be sent or received."""

    @property
    def ice(self) -> str:
        """The user fragment of the client's ICE session, which identifies it."""

    @property
    def heard_seconds(self) -> float:
        """How much of the latest reply has been played."""

    async def happened(self) -> PeerEvent:
        """Wait for the next event of the connection, and return it."""

    def send(self, text: str) -> None:
        """Send a message to the client, in order, as soon as its data channel is open."""

    def listen(self) -> AsyncGenerator[bytes]:
        """Open the microphone: mono 16-bit PCM at 16 kHz from now on, until `stop_listening` or the next `listen`."""

    def stop_listening(self, trailing_seconds: float = 0.0) -> None:
        """Stop listening: now, or when the sound is quiet, *trailing_seconds* from now at the latest."""

    def wake(self) -> None:
        """Play silence until the reply, which comes soon, so that its beginning is not lost."""

    def play(self, pcm: bytes) -> None:
        """Play mono 16-bit PCM at 24 kHz after the sound that plays already; after a reply's end it begins the next."""

    async def played(self) -> None:
        """Mark the reply as complete, and wait until all of it has been played."""

    def hush(self) -> None:
        """Stop playing at once."""

    async def add_candidates(self, fragment: str) -> None:
        """Add addresses of the client, from an SDP fragment (RFC 8840).

        Raises:
            InvalidInput: ``fragment-invalid``.
        """

    async def aclose(self) -> None:
        """End the connection and release all resources."""


class Peers(Protocol):
    async def answer(self, offer: str, servers: Sequence[IceServer]) -> Peer:
        """Answer an *offer* (SDP) with all of our addresses.

        Raises:
            InvalidInput: ``offer-invalid``.
        """
