"""What the conversation knows before a turn and keeps after it."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace

from voice_core import timeouts
from voice_core.domain.conversation import Turn, may_begin
from voice_core.domain.errors import Conflict, NotFound, StageFailed, VoiceError
from voice_core.usecases.turn.record import TurnRecord
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.services import TurnServices


class ConversationMemory:
    """The conversation of one turn.

    A store that is away costs the memory, not the turn: it is noted in the draft as ``conversation`` degraded.
    """

    def __init__(self, record: TurnRecord, request: TurnRequest, services: TurnServices) -> None:
        self._draft = record
        self._said = request
        self._conversations = services.conversations
        self._seconds = services.deadlines.conversations
        self._turns = services.history_turns

    async def recall(self) -> Sequence[Turn]:
        """The last turns, oldest first; none when the conversation begins with this one.

        Raises:
            NotFound: the user has no such conversation.
        """
        if self._said.begins:
            return ()
        try:
            async with timeouts.timeout(self._seconds):
                # A turn that broke off and is taken anew is no history of itself.
                return [turn for turn in await self._recent() if turn.id != self._said.turn_id]
        except NotFound:
            if not may_begin(self._said.conversation_id):
                raise
            return ()
        except (StageFailed, TimeoutError) as error:
            self._draft.degrade("conversation", error)
            return ()

    def _recent(self) -> Awaitable[Sequence[Turn]]:
        request = self._said
        return request.recalled or self._conversations.recent(request.user_id, request.conversation_id, self._turns)

    async def remember(self) -> Turn:
        """Keep the whole turn, and give it as it ended.

        Raises:
            Conflict: ``idempotency-running``; another worker is at it by now, or has stored its own.
        """
        seal = self._said.seal
        fingerprint = await seal() if seal else ""
        if not await self._append(replace(self._draft.turn(), fingerprint=fingerprint)) and seal:
            detail = "This request has been answered meanwhile. Send it again, with the same key, to be told how."
            raise Conflict(detail, code="idempotency-running", retry_after=0.0)
        self._draft.mark("done")
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

    async def _append(self, turn: Turn) -> bool:
        """False when another turn of its id is kept."""
        try:
            async with timeouts.timeout(self._seconds):
                return await self._conversations.append(self._said.user_id, turn)
        except (StageFailed, Conflict, TimeoutError) as error:
            self._draft.degrade("conversation", error)
            return True
