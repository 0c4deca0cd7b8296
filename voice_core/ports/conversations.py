"""The store of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from voice_core.domain.conversation import Conversation, Page, Turn


class Conversations(Protocol):
    async def recent(self, user_id: str, conversation_id: str, limit: int) -> Sequence[Turn]:
        """The last *limit* turns, oldest first.

        Raises:
            NotFound: ``conversation-not-found``; the user has no such conversation.
            StageFailed: with stage ``conversations``.
        """

    async def turn(self, user_id: str, conversation_id: str, turn_id: str) -> Turn:
        """One turn.

        Raises:
            NotFound: ``turn-not-found``.
        """

    async def append(self, user_id: str, turn: Turn, age_seconds: float = 0.0) -> bool:
        """Store *turn* in its conversation, which is created with its first turn; whether *turn* is now the stored one.

        It replaces an interrupted turn with the same id. Any other turn with this id stays, and nothing changes.

        Args:
            age_seconds: how long ago the turn began; infinity if it began the conversation, whose id must be new.

        Raises:
            Conflict: ``conversation-deleted``; the conversation was deleted after the turn began.
        """

    async def list(self, user_id: str, limit: int, continuation: str | None) -> Page[Conversation]:
        """The user's conversations, latest first."""

    async def turns(self, user_id: str, conversation_id: str, limit: int, continuation: str | None) -> Page[Turn]:
        """A conversation's turns, latest first."""

    async def forget(self, user_id: str, conversation_id: str, turn_id: str) -> None:
        """Delete one turn, and the conversation if it had no other; succeeds when there is none."""

    async def delete(self, user_id: str, conversation_id: str) -> None:
        """Delete the conversation and its turns; succeeds when there is none."""
