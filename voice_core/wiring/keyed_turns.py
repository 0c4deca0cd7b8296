"""Turns that have an idempotency key: they are replayed, and fetched by their names."""

from collections.abc import AsyncGenerator, Awaitable, Callable

from voice_core.domain.conversation import Turn
from voice_core.domain.events import Event
from voice_core.domain.position import Position
from voice_core.domain.speech import SpeechName
from voice_core.usecases.idempotency.fetch_turn import FetchedTurns, FoundTurn
from voice_core.usecases.idempotency.idempotent_turn import IdempotentTurns, TurnHandlers
from voice_core.usecases.idempotency.replay import replay
from voice_core.usecases.idempotency.request_lease import STAGE, LeaseRules
from voice_core.usecases.turn.request import TakeTurn, TurnRequest
from voice_core.usecases.turn.services import TurnServices
from voice_core.wiring.adapters import Adapters
from voice_core.wiring.resilience import Guards


class KeyedTurns:
    """Each is taken once by *take*, with *services* and the store of *adapters* behind *guards*."""

    def __init__(self, adapters: Adapters, services: TurnServices, guards: Guards, take: TakeTurn) -> None:
        settings = adapters.settings
        self.idempotent = IdempotentTurns(
            requests=guards.store(adapters.requests, STAGE, settings.conversations_seconds),
            services=services,
            rules=LeaseRules(seconds=settings.request_claim_seconds, deadline=settings.conversations_seconds),
        )
        self._fetched = FetchedTurns(self.idempotent)
        self._take = take

    def replay(self, turn: Turn, request: TurnRequest, received: Position) -> AsyncGenerator[Event]:
        """The events of the stored *turn* that were not *received*."""
        return replay(turn, request, self.idempotent.services, received)

    async def find(self, name: SpeechName) -> Turn | FoundTurn:
        """The stored turn, or what is known of one that has not ended."""
        return await self._fetched.find(name)

    def events(
        self,
        name: SpeechName,
        received: Position,
        voice: str | None,
        *,
        aloud: bool,
        admit: Callable[[], Awaitable[None]] | None = None,
    ) -> AsyncGenerator[Event]:
        """The events of the turn that its client has not *received*; *admit* counts it if it must be continued."""
        request = TurnRequest(
            user_id=name.user_id,
            turn_id=name.turn_id,
            conversation_id=name.conversation_id,
            begins=False,
            voice=voice,
            aloud=aloud,
        )
        handlers = TurnHandlers(self._take, lambda turn, received: self.replay(turn, request, received), admit)
        return self._fetched.events(name, received, handlers, voice, aloud=aloud)

    async def forget(self, user_id: str, conversation_id: str) -> None:
        """Delete the journals of a conversation's turns."""
        await self.idempotent.requests.delete_of_conversation(user_id, conversation_id)

    async def close(self) -> None:
        """Cancel the turns that run; their journals stay."""
        await self.idempotent.runs.close()
