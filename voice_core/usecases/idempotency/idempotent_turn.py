"""Take a turn once, however often it is asked for under the same key.

The stored turn itself is the mark of completion: one that is stored whole is told again, and one that is not was never
taken. Beside it stands only who is at it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace

from voice_core import telemetry
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict, NotFound, StageFailed, VoiceError
from voice_core.domain.events import Event, TurnCreated, TurnDone, TurnFailed
from voice_core.ports.idempotency import Requests
from voice_core.usecases.idempotency.fingerprint import IdempotentRequest, key_reused
from voice_core.usecases.idempotency.request_lease import STAGE, LeaseRules, RequestLease, taken
from voice_core.usecases.resilience.deadlines import in_time
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.services import TurnServices

PART = "idempotency"
"""What a turn goes without when the store of requests is away."""


@dataclass(frozen=True, slots=True)
class TurnHandlers:
    """How a turn is told: when it is taken, and when it is told again."""

    take: Callable[[TurnRequest], AsyncGenerator[Event]]
    replay: Callable[[Turn], AsyncGenerator[Event]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentTurns:
    """Sees to it that turns are taken once, and told again to whoever asks again."""

    requests: Requests
    services: TurnServices
    rules: LeaseRules

    async def run(
        self, turn_request: TurnRequest, request: IdempotentRequest, handlers: TurnHandlers
    ) -> AsyncGenerator[Event]:
        """The turn, event by event; the last is TurnDone or TurnFailed.

        It fails with KeyReused or Conflict, ``idempotency-running``, before anything is paid for. A store of requests
        that is away costs the protection, not the turn: it is noted as ``idempotency`` degraded.
        """
        async with _recalling(turn_request, self.services) as recalled:
            try:
                events = await self._begun(recalled, request, handlers)
            except VoiceError as error:
                yield TurnCreated(turn_request.turn_id, turn_request.conversation_id)
                yield TurnFailed(error)
                return
            async with aclosing(events):
                async for event in events:
                    yield event

    async def _begun(
        self, turn_request: TurnRequest, request: IdempotentRequest, handlers: TurnHandlers
    ) -> AsyncGenerator[Event]:
        fingerprint = request.fingerprint
        found: RequestLease | Turn | None
        try:
            found = await taken(
                request.name, fingerprint, lambda: self._stored(turn_request), self.requests, self.rules
            )
        except StageFailed as error:
            if error.stage != STAGE:
                raise
            telemetry.event("degraded", {"turn": turn_request.turn_id, "part": PART, **telemetry.reason(error)})
            found = await self._stored_as_far_as_known(turn_request)
        if isinstance(found, RequestLease):
            return _held(found, turn_request, handlers)
        if found is None:
            return handlers.take(replace(turn_request, seal=fingerprint.whole, degraded=(PART,)))
        if found.fingerprint != await fingerprint.whole():
            raise key_reused()
        telemetry.event("replayed", {"turn": found.id})
        return handlers.replay(found)

    async def _stored(self, turn_request: TurnRequest) -> Turn | None:
        """The turn, if it was taken to its end."""
        services = self.services
        turn = services.conversations.turn(turn_request.user_id, turn_request.conversation_id, turn_request.turn_id)
        try:
            found = await in_time(turn, "conversations", services.deadlines.conversations)
        except NotFound:
            return None
        return None if found.interrupted else found

    async def _stored_as_far_as_known(self, turn_request: TurnRequest) -> Turn | None:
        with suppress(StageFailed):
            return await self._stored(turn_request)
        return None


@asynccontextmanager
async def _recalling(turn_request: TurnRequest, services: TurnServices) -> AsyncIterator[TurnRequest]:
    """*turn_request*, while what its conversation knows is being fetched: that need not wait for the right to answer."""
    if turn_request.begins:
        yield turn_request
        return
    recent = services.conversations.recent(turn_request.user_id, turn_request.conversation_id, services.history_turns)
    recalled = asyncio.ensure_future(recent)
    try:
        yield replace(turn_request, recalled=recalled)
    finally:
        recalled.cancel()
        await asyncio.gather(recalled, return_exceptions=True)


async def _held(lease: RequestLease, turn_request: TurnRequest, handlers: TurnHandlers) -> AsyncGenerator[Event]:
    async with lease, aclosing(handlers.take(replace(turn_request, seal=lease.seal))) as events:
        async for event in events:
            match event:
                case TurnDone(turn) if "conversation" not in turn.degraded:
                    lease.kept()
                case TurnFailed(error) if isinstance(error, Conflict):
                    # It is another's, whose turn is kept or will be.
                    lease.kept()
                case TurnFailed():
                    # Whoever hears of the failure may try again at once.
                    await lease.give_back()
                case _:
                    pass
            yield event
