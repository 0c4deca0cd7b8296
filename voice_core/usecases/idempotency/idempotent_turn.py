"""Take a turn once, however often it is requested under the same key.

The stored turn itself marks completion: a turn that is stored completely is replayed, and any other counts as not
taken. The only other record is the claim of the worker that is processing the request.
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
from voice_core.usecases.idempotency.request_lease import STAGE, LeaseRules, RequestLease, acquire
from voice_core.usecases.resilience.deadlines import in_time
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.services import TurnServices

PART = "idempotency"
"""The degraded part of a turn when the store of requests is unavailable."""


@dataclass(frozen=True, slots=True)
class TurnHandlers:
    """The functions that give a turn's events: when it is taken, and when it is replayed."""

    take: Callable[[TurnRequest], AsyncGenerator[Event]]
    replay: Callable[[Turn], AsyncGenerator[Event]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentTurns:
    """Takes each turn once, and replays it when its request is repeated."""

    requests: Requests
    services: TurnServices
    rules: LeaseRules

    async def run(
        self, turn_request: TurnRequest, request: IdempotentRequest, handlers: TurnHandlers
    ) -> AsyncGenerator[Event]:
        """The events of the turn; the last is TurnDone or TurnFailed.

        The turn fails with KeyReused or with Conflict, ``idempotency-running``, before any provider is paid for it.
        When the store of requests is unavailable, the turn is taken without protection against a second run and is
        marked as ``idempotency`` degraded.
        """
        async with _with_prefetched_history(turn_request, self.services) as recalled:
            try:
                events = await self._start(recalled, request, handlers)
            except VoiceError as error:
                yield TurnCreated(turn_request.turn_id, turn_request.conversation_id)
                yield TurnFailed(error)
                return
            async with aclosing(events):
                async for event in events:
                    yield event

    async def _start(
        self, turn_request: TurnRequest, request: IdempotentRequest, handlers: TurnHandlers
    ) -> AsyncGenerator[Event]:
        fingerprint = request.fingerprint
        found: RequestLease | Turn | None
        try:
            found = await acquire(
                request.name, fingerprint, lambda: self._stored(turn_request), self.requests, self.rules
            )
        except StageFailed as error:
            if error.stage != STAGE:
                raise
            telemetry.event("degraded", {"turn": turn_request.turn_id, "part": PART, **telemetry.reason(error)})
            found = await self._stored_as_far_as_known(turn_request)
        if isinstance(found, RequestLease):
            return _leased(found, turn_request, handlers)
        if found is None:
            return handlers.take(replace(turn_request, verify=fingerprint.digest, degraded=(PART,)))
        if found.fingerprint != await fingerprint.digest():
            raise key_reused()
        telemetry.event("replayed", {"turn": found.id})
        return handlers.replay(found)

    async def _stored(self, turn_request: TurnRequest) -> Turn | None:
        """The stored turn; None when there is none or when it was interrupted."""
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
async def _with_prefetched_history(turn_request: TurnRequest, services: TurnServices) -> AsyncIterator[TurnRequest]:
    """*turn_request* with its history already being fetched, which need not wait for the lease."""
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


async def _leased(lease: RequestLease, turn_request: TurnRequest, handlers: TurnHandlers) -> AsyncGenerator[Event]:
    async with lease, aclosing(handlers.take(replace(turn_request, verify=lease.verify))) as events:
        async for event in events:
            match event:
                case TurnDone(turn) if "conversation" not in turn.degraded:
                    lease.complete()
                case TurnFailed(error) if isinstance(error, Conflict):
                    # Another worker has the lease; its turn is stored or will be.
                    lease.complete()
                case TurnFailed():
                    # Released before the failure is delivered: the client may retry at once.
                    await lease.release()
                case _:
                    pass
            yield event
