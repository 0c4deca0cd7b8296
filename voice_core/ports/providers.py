"""What we need from the world, in our words.

Adapters raise the errors of ``domain.errors`` and nothing else, with the vendor's error chained. Closing an async
iterator before its end (``aclose``) cancels the work behind it at once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from voice_core.domain.conversation import Conversation, Page, Turn
    from voice_core.domain.idempotency import Request, RequestName
    from voice_core.domain.limits import Allowance, Rate, Used
    from voice_core.domain.session import IceServer, PeerEvent
    from voice_core.domain.speech import Hints, Interim, Transcript, Voice


class Headers(Protocol):
    def getlist(self, key: str) -> list[str]:
        """All values of a header, by its name in lower case."""


class Callers(Protocol):
    async def identify(self, headers: Headers) -> str:
        """The user id of whoever sent a request with *headers*: letters and digits, `domain.user`.

        Raises:
            Unauthenticated: they do not say who they are, or not so that it can be believed.
            Unreachable: with stage ``identity``; it cannot be told just now.
        """

    async def check(self) -> None:
        """Get ready to identify, or raise Unreachable."""

    async def close(self) -> None:
        """Free everything."""


class SpeechToText(Protocol):
    async def warm(self, hints: Hints) -> None:
        """Open what the next `transcribe` with these hints needs."""

    def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        """Hear *utterance* (mono 16-bit PCM at 16 kHz) while it arrives.

        Yields interims as they come and then one Transcript of the whole utterance, last.

        Raises:
            NoSpeech: no words in it.
            StageFailed: with stage ``stt``.
        """


class Assistant(Protocol):
    async def warm(self) -> None:
        """Open what the next `reply` needs."""

    def reply(self, said: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        """Reply to *said* after *history*, oldest turn first, in pieces of text as they are written.

        Raises:
            ReplyRefused: the content filter stopped the prompt or the reply.
            StageFailed: with stage ``assistant``.
        """


class TextToSpeech(Protocol):
    async def warm(self, voice: str | None) -> None:
        """Open what the next `synthesize` with this voice needs.

        Raises:
            InvalidInput: ``voice-unknown``.
            StageFailed: with stage ``tts``.
        """

    def synthesize(self, text: str, voice: str | None) -> AsyncGenerator[bytes]:
        """Speak *text*, plain words, in *voice* or the default one.

        Yields mono 16-bit PCM at 24 kHz as it is made, in whole samples.

        Raises:
            InvalidInput: ``voice-unknown``.
            StageFailed: with stage ``tts``.
        """

    async def voices(self) -> Sequence[Voice]:
        """All voices that `synthesize` accepts."""


class Conversations(Protocol):
    async def recent(self, user_id: str, conversation_id: str, limit: int) -> Sequence[Turn]:
        """The last *limit* turns, oldest first.

        Raises:
            NotFound: ``conversation-not-found``; the user has no such conversation.
            StageFailed: with stage ``conversations``.
        """

    async def turn(self, user_id: str, conversation_id: str, turn_id: str) -> Turn:
        """One turn.

        Raises:
            NotFound: ``turn-not-found``.
        """

    async def append(self, user_id: str, turn: Turn) -> bool:
        """Remember *turn* in its conversation, which begins with its first turn; whether it is what is kept.

        One of its id that was interrupted gives way to it. Any other stays, and nothing changes.
        """

    async def list(self, user_id: str, limit: int, continuation: str | None) -> Page[Conversation]:
        """The user's conversations, latest first."""

    async def turns(self, user_id: str, conversation_id: str, limit: int, continuation: str | None) -> Page[Turn]:
        """A conversation's turns, latest first."""

    async def forget(self, user_id: str, conversation_id: str, turn_id: str) -> None:
        """Forget one turn, and a conversation that had no other; succeeds when there is none."""

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """Forget the conversation and its turns; succeeds when there is none."""


class Requests(Protocol):
    """Requests that may be sent again. All raise StageFailed with stage ``requests``."""

    async def add(self, request: Request) -> Request:
        """Keep a new one; gives it with its version.

        Raises:
            Conflict: there is one of this name.
        """

    async def get(self, name: RequestName) -> Request:
        """The request as it is now.

        Raises:
            NotFound: ``request-not-found``.
        """

    async def replace(self, request: Request) -> Request:
        """Keep one that was changed; gives it with its new version.

        Raises:
            Conflict: somebody else has changed it since it was read, or it is gone.
        """

    async def delete(self, request: Request) -> None:
        """Forget this version; succeeds when there is another, or none."""


class Admissions(Protocol):
    """Counts for all workers alike. *now* is in milliseconds since 1970. All raise StageFailed, stage ``limits``."""

    async def admit(self, user_id: str, rate: Rate, allowance: Allowance | None, now: int) -> tuple[bool, Used]:
        """Count one more, unless *rate* or *allowance* is used up: whether it was, and what is used then."""

    async def charge(self, user_id: str, heard_ms: int, now: int) -> None:
        """So much sound was heard, whether or not there was that much left."""

    async def heard(self, user_id: str) -> Used:
        """The sound that is used; no moments."""


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


class Checkable(Protocol):
    async def check(self) -> None:
        """Reach the service and return, or raise StageFailed."""
