"""The request of a new session, and the codec of its messages."""

from dataclasses import dataclass, field
from typing import Protocol

from voice_core.domain.events import Event
from voice_core.domain.session import Control, SessionEvent, Update


class MessageCodec(Protocol):
    """Decodes control messages of the data channel, and encodes events for it."""

    def read(self, text: str) -> Control:
        """The control message in *text*; raises InvalidInput."""

    def write(self, event: Event | SessionEvent) -> str:
        """The text of *event*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """The user, the conversation and the options of a session to open."""

    user_id: str
    conversation_id: str
    query: str = ""
    """The text of the first turn; empty when there is none."""
    options: Update = field(default_factory=Update)


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One event, as it was sent on the data channel."""

    type: str
    text: str
