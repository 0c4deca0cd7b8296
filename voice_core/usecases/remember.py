"""What the conversation knows before a turn and keeps after it."""

import asyncio
from collections.abc import Sequence

from voice_core.domain.conversation import Turn, may_begin
from voice_core.domain.errors import Conflict, NotFound, StageFailed, VoiceError
from voice_core.usecases.draft import Draft
from voice_core.usecases.said import Company, Said


class Memory:
    """The conversation of one turn.

    A store that is away costs the memory, not the turn: it is noted in the draft as ``conversation`` degraded.
    """

    def __init__(self, draft: Draft, said: Said, company: Company) -> None:
        self._draft = draft
        self._said = said
        self._conversations = company.conversations
        self._seconds = company.deadlines.conversations
        self._turns = company.history_turns

    async def recall(self) -> Sequence[Turn]:
        """The last turns, oldest first; none when the conversation begins with this one.

        Raises:
            NotFound: the user has no such conversation.
        """
        if self._said.begins:
            return ()
        try:
            async with asyncio.timeout(self._seconds):
                said = self._said
                return await self._conversations.recent(said.user_id, said.conversation_id, self._turns)
        except NotFound:
            if not may_begin(said.conversation_id):
                raise
            return ()
        except (StageFailed, TimeoutError) as error:
            self._draft.degrade("conversation", error)
            return ()

    async def remember(self) -> Turn:
        """Keep the whole turn, and give it as it ended."""
        await self._append(self._draft.turn())
        return self._draft.turn()

    async def keep(self, error: VoiceError) -> None:
        """Keep what counts of a turn that *error* ended early.

        Only a provider's error leaves something to keep: a refused prompt would have every later one refused too.
        """
        if self._draft.transcript is not None and isinstance(error, StageFailed):
            await self._append(self._draft.turn(interrupted=True))

    async def keep_delivered(self) -> None:
        """Keep what the caller, who has left, has of the turn; a listener is told of it."""
        delivered = self._draft.delivered
        if self._draft.transcript is not None and self._draft.reached:
            await self._append(self._draft.turn(reply=delivered, interrupted=True))
        if self._said.listener is not None:
            self._said.listener.left(self._draft.turn(reply=delivered, interrupted=True))

    async def _append(self, turn: Turn) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._conversations.append(self._said.user_id, turn)
        except (StageFailed, Conflict, TimeoutError) as error:
            self._draft.degrade("conversation", error)
