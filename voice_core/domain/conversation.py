"""The dialogue that persists."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from secrets import token_hex
from typing import Generic, TypeVar

Item = TypeVar("Item")


def new_conversation_id(seed: str = "") -> str:
    """An id that is told before the conversation begins; it is known by its check digits when it comes back.

    With a *seed* of hex digits, at least 24 of them, it is always the same.
    """
    number = seed[:24] or token_hex(12)
    return number + _check_digits(number)


def may_begin(conversation_id: str) -> bool:
    """Whether a conversation that is not there may begin under this id, because it was given out for that."""
    number, digits = conversation_id[:24], conversation_id[24:]
    return digits == _check_digits(number)


def _check_digits(number: str) -> str:
    return sha256(f"conversation {number}".encode()).hexdigest()[:8]


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
    clip_id: str = ""
    """Of the clip that was spoken, when it was one: it has the whole transcript, of which the turn keeps a part."""
    confidence: float | None = None
    """Of the transcript, 0 to 1; None when the recogniser gave none."""
    utterance_ms: int = 0
    """How long the user spoke."""
    fingerprint: str = ""
    """Of the request it was taken for, when that may be sent again."""


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
