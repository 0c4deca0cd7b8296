"""What a turn begins with: what was said, and who takes part."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from voice_core.domain.conversation import Turn
from voice_core.domain.events import Event
from voice_core.domain.speech import Hints

Delivery = Literal["events", "speech", "whole", "played"]
"""How the caller is served: event by event, by the sound alone, all at once at the end, or by sound that we play."""


class Listener(Protocol):
    """Whoever has the reply played, and may cut it off."""

    @property
    def heard_seconds(self) -> float:
        """How much of the speech has been played by now."""

    def left(self, turn: Turn) -> None:
        """The turn was cut off; *turn* is what is left of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """What the user said, where, and how they want to be answered."""

    user_id: str
    turn_id: str
    conversation_id: str
    begins: bool
    """True when the conversation begins with this turn, False when it must exist."""
    utterance: AsyncGenerator[bytes] | None = None
    """Mono 16-bit PCM at 16 kHz, as it arrives; or else *text*."""
    text: str = ""
    hints: Hints = field(default_factory=Hints)
    voice: str | None = None
    aloud: bool = True
    delivery: Delivery = "events"
    listener: Listener | None = None
    """Of a reply that is ``played``."""
    recalled: Awaitable[Sequence[Turn]] | None = None
    """The conversation's last turns, where they are being fetched already."""
    seal: Callable[[], Awaitable[str]] | None = None
    """Asked before the turn is stored, of a request that may be sent again: gives its fingerprint, or raises Conflict
    when another worker is at it."""
    degraded: tuple[str, ...] = ()
    """What the turn goes without from its beginning."""


TakeTurn = Callable[[TurnRequest], AsyncGenerator[Event]]
