"""The conversation of a turn: its history is read before the turn, and the turn is stored after it."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from math import inf
from time import monotonic

from voice_core import timeouts
from voice_core.domain.conversation import Turn, may_begin
from voice_core.domain.errors import Conflict, NotFound, StageFailed, VoiceError
from voice_core.usecases.turn.record import TurnRecord
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.services import TurnServices


class ConversationMemory:
    """The conversation of one turn.

    When the store is unavailable, the turn goes on without it, and the record is degraded by ``conversation``.
    """

    def __init__(self, record: TurnRecord, request: TurnRequest, services: TurnServices) -> None:
        self._record = record
        self._request = request
        self._conversations = services.conversations
        self._seconds = services.deadlines.conversations
        self._turns = services.history_turns
        self._began = monotonic()

    async def recall(self) -> Sequence[Turn]:
        """The last turns, oldest first; none when the conversation begins with this one.

        Raises:
            NotFound: the user has no such conversation.
        """
        if self._request.begins:
            return ()
        try:
            async with timeouts.timeout(self._seconds):
                # A retried turn may be stored already, as interrupted: it is not part of its own history.
                return [turn for turn in await self._recent() if turn.id != self._request.turn_id]
        except NotFound:
            if not may_begin(self._request.conversation_id):
                raise
            return ()
        except (StageFailed, TimeoutError) as error:
            self._record.degrade("conversation", error)
            return ()

    def _recent(self) -> Awaitable[Sequence[Turn]]:
        request = self._request
        return request.recalled or self._conversations.recent(request.user_id, request.conversation_id, self._turns)

    async def store(self) -> Turn:
        """Store the completed turn, and return it.

        Raises:
            Conflict: ``idempotency-running``; another worker is processing the request by now, or has stored its turn.
        """
        verify = self._request.verify
        fingerprint = await verify() if verify else ""
        if not await self._append(replace(self._record.turn(), fingerprint=fingerprint)) and verify:
            detail = "Another worker has completed this request. Send it again with the same key to get its reply."
            raise Conflict(detail, code="idempotency-running", retry_after=0.0)
        self._record.mark("done")
        return self._record.turn()

    async def store_failed(self, error: VoiceError) -> None:
        """Store a turn that *error* ended early, as interrupted, if it has a transcript.

        Only the turn of a failed provider is stored. A refused prompt is not: as history it would have every later
        prompt refused too.
        """
        if self._record.transcript is not None and isinstance(error, StageFailed):
            await self._append(self._record.turn(interrupted=True))

    async def store_delivered(self) -> None:
        """Store the part of the turn that was delivered before the caller disconnected, and notify the listener."""
        delivered = self._record.delivered
        if self._record.transcript is not None and self._record.reached:
            await self._append(self._record.turn(reply=delivered, interrupted=True))
        if self._request.listener is not None:
            self._request.listener.interrupted(self._record.turn(reply=delivered, interrupted=True))

    async def _append(self, turn: Turn) -> bool:
        """False when another turn with the id of *turn* is stored; True also when it could not be stored.

        That is when the store failed, or the conversation was deleted in the meantime.
        """
        try:
            async with timeouts.timeout(self._seconds):
                return await self._conversations.append(self._request.user_id, turn, self._age_seconds)
        except (StageFailed, Conflict, TimeoutError) as error:
            self._record.degrade("conversation", error)
            return True

    @property
    def _age_seconds(self) -> float:
        """Time since the turn began; infinity when it begins the conversation, whose id is new then."""
        return inf if self._request.begins else monotonic() - self._began
