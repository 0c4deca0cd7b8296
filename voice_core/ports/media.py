"""WebRTC peers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from voice_core.domain.session import IceServer, PeerEvent


class Peer(Protocol):
    """The other end of a session: a microphone, an ear, and messages both ways."""

    @property
    def answer(self) -> str:
        """Our half of the negotiation, SDP."""

    @property
    def writes(self) -> bool:
        """Whether there is a data channel; without one nothing can be told or asked."""

    @property
    def ice(self) -> str:
        """Names the client's ICE session: its user fragment."""

    @property
    def heard_seconds(self) -> float:
        """How much of the latest reply has been played."""

    async def happened(self) -> PeerEvent:
        """The next thing that happens to the connection, once it does."""

    def send(self, text: str) -> None:
        """Tell the client, in order, as soon as its data channel is open."""

    def listen(self) -> AsyncGenerator[bytes]:
        """Open the microphone: mono 16-bit PCM at 16 kHz from now on, until `stop_listening` or the next `listen`."""

    def stop_listening(self, trailing_seconds: float = 0.0) -> None:
        """End what is listened to: now, or when the sound is quiet, *trailing_seconds* from now at the latest."""

    def wake(self) -> None:
        """A reply comes soon: play silence until then, so that its beginning is not lost."""

    def play(self, pcm: bytes) -> None:
        """Play mono 16-bit PCM at 24 kHz after what plays already; the first after the end of a reply begins one."""

    async def played(self) -> None:
        """The reply is complete: return when all of it has been played."""

    def hush(self) -> None:
        """Stop playing at once."""

    async def add_candidates(self, fragment: str) -> None:
        """Learn of more of the client's addresses, an SDP fragment (RFC 8840).

        Raises:
            InvalidInput: ``fragment-invalid``.
        """

    async def aclose(self) -> None:
        """End the connection and free everything."""


class Peers(Protocol):
    async def answer(self, offer: str, servers: Sequence[IceServer]) -> Peer:
        """Answer an *offer* (SDP) with all of our addresses.

        Raises:
            InvalidInput: ``offer-invalid``.
        """
