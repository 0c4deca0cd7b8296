"""The dialogue that persists."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange, as it is remembered. Audio is never part of it."""

    id: str
    conversation_id: str
    transcript: str
    """What the user said or typed."""
    reply: str
    """What the assistant said; when *interrupted*, only what was delivered of it."""
    created_at: datetime
    """UTC."""
    spoken: bool = True
    """True when the user spoke, False when they typed."""
    language: str = ""
    interrupted: bool = False
    degraded: tuple[str, ...] = ()
    timings: dict[str, int] = field(default_factory=dict)
    """Milliseconds a stage."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a list of conversations shows of one."""

    id: str
    title: str
    """The first words that were said in it."""
    turn_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items, and the token that asks for the next ones."""

    items: tuple[Item, ...]
    continuation: str | None = None
