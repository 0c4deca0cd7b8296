"""A conversation as the skills of the offline assistant see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from emulators.openai.phrases import tokens_of_speech, without_courtesies, without_symbols


@dataclass(frozen=True)
class Dialogue:
    """The latest message of a user, and what was said before it."""

    message: str
    now: datetime
    """Local time."""
    earlier: tuple[str, ...] = ()
    """The user's earlier messages, oldest first."""
    replies: tuple[str, ...] = ()
    """The assistant's earlier replies, oldest first."""

    @cached_property
    def words(self) -> str:
        """The message in lower case, without punctuation and symbols."""
        return without_symbols(tokens_of_speech(self.message))

    @cached_property
    def question(self) -> str:
        """The words without courtesies around them: "could you say what time it is please" is "what time it is"."""
        return without_courtesies(self.words)

    @cached_property
    def expression(self) -> str:
        """The question with its signs of arithmetic, each between spaces."""
        return without_courtesies(" ".join(tokens_of_speech(self.message)))


@dataclass(frozen=True, slots=True)
class Reply:
    """The words of one reply."""

    text: str
    """One sentence, as a rule."""
    hint: str = ""
    """A second sentence; on the first reply of a conversation the introduction takes its place."""
    introduces: bool = False
    """The reply itself says what the assistant is, or is in another language than the introduction."""


Skill = Callable[[Dialogue], Reply | None]
"""Replies to the messages that it understands; None: it does not understand this one."""
