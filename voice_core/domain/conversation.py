"""Stored conversations and their turns."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from secrets import token_hex
from typing import Generic, TypeVar

Item = TypeVar("Item")


def new_conversation_id(seed: str = "") -> str:
    """An id that is given to a client before the conversation exists; its check digits prove later that it is ours.

    The same *seed*, at least 24 hex digits, always gives the same id.
    """
    number = seed[:24] or token_hex(12)
    return number + _check_digits(number)


def may_begin(conversation_id: str) -> bool:
    """Whether a new conversation may have this id: whether `new_conversation_id` made it."""
    number, digits = conversation_id[:24], conversation_id[24:]
    return digits == _check_digits(number)


def _check_digits(number: str) -> str:
    return sha256(f"conversation {number}".encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn, as it is stored. Audio is never part of it."""

    id: str
    conversation_id: str
    transcript: str
    """The user's words, spoken or typed."""
    reply: str
    """The assistant's reply; when *interrupted*, only the part that was delivered."""
    created_at: datetime
    """UTC."""
    spoken: bool = True
    """True when the user spoke, False when they typed."""
    language: str = ""
    interrupted: bool = False
    degraded: tuple[str, ...] = ()
    timings: dict[str, int] = field(default_factory=dict)
    """Milliseconds by stage."""
    clip_id: str = ""
    """The id of the clip, if the turn is one of a clip: the clip has the complete transcript, the turn a part of it."""
    confidence: float | None = None
    """Confidence of the transcript, 0 to 1; None when the recogniser gave none."""
    utterance_ms: int = 0
    """How long the user spoke."""
    fingerprint: str = ""
    """The fingerprint of the request that the turn belongs to, if that request is idempotent."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """An entry in a list of conversations."""

    id: str
    title: str
    """The first words of the conversation."""
    turn_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items, and the token that requests the next ones."""

    items: tuple[Item, ...]
    continuation: str | None = None
