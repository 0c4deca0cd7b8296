"""What we need from the world, in our words.

Adapters raise the errors of ``domain.errors`` and nothing else, with the vendor's error chained. Closing an async
iterator before its end (``aclose``) cancels the work behind it at once.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from datetime import datetime
from typing import Protocol

from voice_core.domain.clip import Clip, ClipName, Recording, Slot
from voice_core.domain.conversation import Conversation, Page, Turn
from voice_core.domain.session import IceServer, PeerEvent
from voice_core.domain.speech import Hints, Interim, KeptSpeech, SpeechName, Transcript, Voice


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

    async def append(self, user_id: str, turn: Turn) -> None:
        """Remember *turn* in its conversation, which begins with its first turn.

        Appending a turn that is already there, by its id, changes nothing.
        """

    async def list(self, user_id: str, limit: int, continuation: str | None) -> Page[Conversation]:
        """The user's conversations, latest first."""

    async def turns(self, user_id: str, conversation_id: str, limit: int, continuation: str | None) -> Page[Turn]:
        """A conversation's turns, latest first."""

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """Forget the conversation and its turns; succeeds when there is none."""


class Clips(Protocol):
    """The jobs of clips. All raise StageFailed with stage ``clips``."""

    async def add(self, clip: Clip) -> Clip:
        """Keep a new job; gives it with its version."""

    async def get(self, name: ClipName) -> Clip:
        """The job as it is now.

        Raises:
            NotFound: ``clip-not-found``.
        """

    async def replace(self, clip: Clip) -> Clip:
        """Keep a job that was changed; gives it with its new version.

        Raises:
            Conflict: somebody else has changed it since it was read, or it is gone.
        """

    async def of_conversation(self, user_id: str, conversation_id: str) -> Sequence[ClipName]:
        """The clips that belong to a conversation, however they ended."""


class Recordings(Protocol):
    """What is uploaded. All raise StageFailed with stage ``storage``."""

    async def slot(self, name: ClipName, until: datetime, *, in_blocks: bool) -> Slot:
        """Permission for one upload that begins before *until*; *in_blocks* as a list of blocks, else in one go."""

    async def find(self, name: ClipName) -> Recording:
        """What has been uploaded.

        Raises:
            NotFound: ``recording-missing``.
        """

    async def read(self, recording: Recording, start: int, count: int) -> bytes:
        """*count* bytes of it, from the offset *start* on.

        Raises:
            NotFound: ``recording-missing``; it is there no more.
            Conflict: ``recording-changed``; another version is there.
        """

    async def delete(self, name: ClipName) -> None:
        """Forget it; succeeds when there is none."""


class Artefacts(Protocol):
    """What is made of clips, by names under the clip's own. All raise StageFailed with stage ``storage``."""

    async def put(self, clip: ClipName, name: str, data: bytes) -> None:
        """Keep *data*; what is there already is replaced."""

    async def get(self, clip: ClipName, name: str) -> bytes:
        """What was put.

        Raises:
            NotFound: ``artefact-missing``.
        """

    async def names(self, clip: ClipName, prefix: str) -> Sequence[str]:
        """The names that begin with *prefix*, in order."""

    async def delete(self, clip: ClipName) -> None:
        """Forget all that was made of the clip."""


class Speeches(Protocol):
    """Speech that is kept for players to fetch. All raise StageFailed with stage ``storage``."""

    async def begin(self, name: SpeechName) -> None:
        """Keep none of it so far."""

    async def append(self, name: SpeechName, pcm: bytes) -> None:
        """Keep some more, whole samples."""

    async def finish(self, name: SpeechName) -> None:
        """There is no more."""

    async def find(self, name: SpeechName) -> KeptSpeech:
        """How much there is.

        Raises:
            NotFound: ``speech-not-found``.
        """

    async def read(self, name: SpeechName, start: int, count: int) -> bytes:
        """*count* bytes of the PCM, from the offset *start* on."""

    async def encoded(self, name: SpeechName, audio_format: str) -> int:
        """Bytes of the whole speech in *audio_format*, once it was put.

        Raises:
            NotFound: ``speech-not-found``.
        """

    async def put_encoded(self, name: SpeechName, audio_format: str, data: bytes) -> None:
        """Keep the whole speech in *audio_format*, unless it is kept already."""

    async def read_encoded(self, name: SpeechName, audio_format: str, start: int, count: int) -> bytes:
        """*count* bytes of it, from the offset *start* on."""

    async def delete(self, user_id: str, conversation_id: str, turn_id: str = "") -> None:
        """Forget the speech of a turn, or of all turns of the conversation."""


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
