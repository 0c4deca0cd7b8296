"""The request of a turn, and the types of its delivery."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from voice_core.domain.conversation import Turn
from voice_core.domain.events import Event
from voice_core.domain.journal import Journal
from voice_core.domain.speech import Hints, Transcript

Delivery = Literal["events", "speech", "whole", "played"]
"""How the caller receives the turn: event by event, as sound alone, complete at the end, or played by the server."""


class Listener(Protocol):
    """The receiver of a reply that the server plays, and that may be interrupted."""

    @property
    def heard_seconds(self) -> float:
        """Seconds of the speech that have been played so far."""

    def interrupted(self, turn: Turn) -> None:
        """Take note that the turn was interrupted; *turn* has only the words that were played."""


class TurnJournal(Protocol):
    """The journal of a turn that has an idempotency key."""

    @property
    def found(self) -> Journal:
        """The results of the turn so far, also those of workers before."""

    def add_transcript(self, transcript: Transcript) -> None:
        """Begin to store the final transcript."""

    async def add_round(self, text: str) -> None:
        """Store a complete response of the model; raises Conflict when another worker has taken the turn over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """The user's input, its conversation, and how the reply is to be delivered."""

    user_id: str
    turn_id: str
    conversation_id: str
    begins: bool
    """True when the conversation begins with this turn, False when it must exist."""
    utterance: AsyncGenerator[bytes] | None = None
    """Mono 16-bit PCM at 16 kHz, as it arrives. None when the input is *text*."""
    text: str = ""
    hints: Hints = field(default_factory=Hints)
    voice: str | None = None
    aloud: bool = True
    delivery: Delivery = "events"
    listener: Listener | None = None
    """Set when the delivery is ``played``."""
    recalled: Awaitable[Sequence[Turn]] | None = None
    """The conversation's last turns, if they are being fetched already."""
    verify: Callable[[], Awaitable[str]] | None = None
    """Called before the turn of an idempotent request is stored: returns the request's fingerprint, or raises Conflict
    when another worker is processing it."""
    degraded: tuple[str, ...] = ()
    """The parts that the turn lacks from its beginning."""
    journal: TurnJournal | None = None
    """Set when the request has an idempotency key."""

    @property
    def spoken(self) -> bool:
        """Whether the user spoke, rather than typed."""
        return self.utterance is not None or (self.journal is not None and self.journal.found.spoken)


TakeTurn = Callable[[TurnRequest], AsyncGenerator[Event]]
