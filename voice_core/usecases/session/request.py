"""What a session begins with, and how it is talked to."""

from dataclasses import dataclass, field
from typing import Protocol

from voice_core.domain.events import Event
from voice_core.domain.session import Control, SessionEvent, Update


class MessageCodec(Protocol):
    """How the session's words look on the data channel."""

    def read(self, text: str) -> Control:
        """What the client says; raises InvalidInput."""

    def write(self, event: Event | SessionEvent) -> str:
        """What it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """Who opens a session, and what for."""

    user_id: str
    conversation_id: str
    query: str = ""
    """The first turn, in writing."""
    wishes: Update = field(default_factory=Update)


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One thing that was told, as it went to the data channel."""

    type: str
    text: str
