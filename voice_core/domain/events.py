"""The events of a turn, in the order in which they happen.

Names are those of OpenAI's audio and realtime APIs where they exist. Every stream of events ends with exactly one
TurnDone or TurnFailed.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from voice_core.domain.conversation import Turn
from voice_core.domain.errors import VoiceError
from voice_core.domain.speech import Transcript


@dataclass(frozen=True, slots=True)
class TurnCreated:
    type: ClassVar = "turn.created"
    turn_id: str
    conversation_id: str
    replayed: bool = False
    """The turn was taken before, and its events are sent again."""


@dataclass(frozen=True, slots=True)
class TranscriptDelta:
    """An interim transcript: it replaces the previous one."""

    type: ClassVar = "transcript.text.delta"
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptDone:
    type: ClassVar = "transcript.text.done"
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    type: ClassVar = "reply.text.delta"
    text: str


@dataclass(frozen=True, slots=True)
class ReplyDone:
    type: ClassVar = "reply.text.done"
    text: str


@dataclass(frozen=True, slots=True)
class ReplyRestarted:
    """The reply begins again, with other words: what the client has received of it, speech included, does not count."""

    type: ClassVar = "reply.restarted"


@dataclass(frozen=True, slots=True)
class SpeechDelta:
    """A piece of the reply's speech: mono 16-bit PCM at 24 kHz, whole samples."""

    type: ClassVar = "speech.audio.delta"
    pcm: bytes
    seq: int
    sentence: str = ""
    """The words that begin here, on a sentence's first piece."""


@dataclass(frozen=True, slots=True)
class SpeechDone:
    type: ClassVar = "speech.audio.done"
    duration_ms: int


@dataclass(frozen=True, slots=True)
class TurnDone:
    type: ClassVar = "turn.done"
    turn: Turn


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The turn ended early; the results until then are in the error's additional members."""

    type: ClassVar = "error"
    error: VoiceError = field(compare=False)


Event = (
    TurnCreated
    | TranscriptDelta
    | TranscriptDone
    | ReplyDelta
    | ReplyDone
    | ReplyRestarted
    | SpeechDelta
    | SpeechDone
    | TurnDone
    | TurnFailed
)
