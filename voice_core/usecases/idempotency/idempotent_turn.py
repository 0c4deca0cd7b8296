"""Take a turn once, however often it is requested under the same key.

The stored turn itself marks completion: a turn that is stored completely is replayed. Any other is continued from its
journal, which is a part of the claim of the worker that processes the request.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from voice_core import telemetry
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict, NotFound, StageFailed, VoiceError
from voice_core.domain.events import Event, TurnCreated, TurnDone, TurnFailed
from voice_core.domain.idempotency import RequestClaim
from voice_core.domain.journal import Journal
from voice_core.domain.position import Position
from voice_core.ports.idempotency import Requests
from voice_core.usecases.idempotency.fingerprint import Fingerprint, IdempotentRequest, key_reused
from voice_core.usecases.idempotency.request_lease import STAGE, LeaseRules, RequestLease, acquire, new_worker, running
from voice_core.usecases.idempotency.resume import resume
from voice_core.usecases.idempotency.turn_journal import LeasedJournal
from voice_core.usecases.idempotency.turn_run import RunningRequest, TurnRuns
from voice_core.usecases.resilience.deadlines import in_time
from voice_core.usecases.turn.request import TakeTurn, TurnRequest
from voice_core.usecases.turn.services import TurnServices

PART = "idempotency"
"""The degraded part of a turn when the store of requests is unavailable."""


RETRY_SECONDS = 1.0
"""When to send a request again whose first upload may still arrive."""


@dataclass(frozen=True, slots=True)
class TurnHandlers:
    """The functions that give a turn's events: when it is taken, and when it is replayed."""

    take: TakeTurn
    replay: Callable[[Turn, Position], AsyncGenerator[Event]]
    """Its second argument is what the client has received."""
    admit: Callable[[], Awaitable[None]] | None = None
    """Counts a turn that a fetch continues; raises LimitReached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentTurns:
    """Takes each turn once, and replays it when its request is repeated."""

    requests: Requests
    services: TurnServices
    rules: LeaseRules
    runs: TurnRuns = field(default_factory=TurnRuns)
    """The turns that run in this worker."""

    async def run(
        self, turn_request: TurnRequest, request: IdempotentRequest, handlers: TurnHandlers, received: Position
    ) -> AsyncGenerator[Event]:
        """The events of the turn without what the client has *received*; the last is TurnDone or TurnFailed.

        The turn goes on when the client disconnects. It fails with KeyReused or with Conflict,
        ``idempotency-running``, before any provider is paid for it. When the store of requests is unavailable, the turn
        is taken without protection against a second run and is marked as ``idempotency`` degraded.
        """
        async with _with_prefetched_history(turn_request, self.services) as recalled:
            try:
                events = await self._start(recalled, request, handlers, received)
            except VoiceError as error:
                yield TurnCreated(turn_request.turn_id, turn_request.conversation_id)
                yield TurnFailed(error)
                return
            async with aclosing(events):
                async for event in events:
                    yield event

    async def _start(
        self, turn_request: TurnRequest, request: IdempotentRequest, handlers: TurnHandlers, received: Position
    ) -> AsyncGenerator[Event]:
        fingerprint = request.fingerprint
        if run := self.runs.find(turn_request.user_id, turn_request.turn_id):
            await _check_same(run.request, fingerprint)
            return resume(run.follow(), received, reply=run.reply)
        try:
            found = await acquire(
                self._claim(turn_request, request), lambda: self._completed(turn_request), self.requests, self.rules
            )
        except StageFailed as error:
            if error.stage != STAGE:
                raise
            telemetry.event("degraded", {"turn": turn_request.turn_id, "part": PART, **telemetry.reason(error)})
            stored = await self._completed_as_far_as_known(turn_request)
            if stored is None:
                taken = handlers.take(replace(turn_request, verify=fingerprint.digest, degraded=(PART,)))
                return resume(taken, received)
            found = stored
        if isinstance(found, Turn):
            await _check_fingerprint(found.fingerprint, fingerprint)
            telemetry.event("replayed", {"turn": found.id})
            return handlers.replay(found, received)
        async with found.renewed():
            await _check_fingerprint(found.journal.fingerprint, fingerprint)
        events = leased(found, turn_request, fingerprint.digest, handlers.take)
        run = self.runs.start(turn_request.user_id, turn_request.turn_id, events, fingerprint)
        return resume(run.follow(), received)

    def _claim(self, turn_request: TurnRequest, request: IdempotentRequest) -> RequestClaim:
        """A new claim of the request, with the journal of a turn that begins."""
        journal = Journal(
            conversation_id=turn_request.conversation_id,
            begins=turn_request.begins,
            spoken=turn_request.utterance is not None,
            text=turn_request.text,
            language="".join(turn_request.hints.languages[:1]),
            voice=turn_request.voice,
            aloud=turn_request.aloud,
        )
        return RequestClaim(request.name, request.fingerprint.words_digest, new_worker(), self.rules.until(), journal)

    async def stored(self, user_id: str, conversation_id: str, turn_id: str) -> Turn | None:
        """The stored turn, complete or interrupted; None when there is none.

        Raises:
            StageFailed: with stage ``conversations``.
        """
        services = self.services
        turn = services.conversations.turn(user_id, conversation_id, turn_id)
        with suppress(NotFound):
            return await in_time(turn, "conversations", services.deadlines.conversations)
        return None

    async def _completed(self, turn_request: TurnRequest) -> Turn | None:
        found = await self.stored(turn_request.user_id, turn_request.conversation_id, turn_request.turn_id)
        return None if found is None or found.interrupted else found

    async def _completed_as_far_as_known(self, turn_request: TurnRequest) -> Turn | None:
        with suppress(StageFailed):
            return await self._completed(turn_request)
        return None


async def _check_fingerprint(known: str, repeated: Fingerprint) -> None:
    """Return if *repeated* has the fingerprint that is *known*, if any; otherwise raises KeyReused."""
    if known and known != await repeated.digest():
        raise key_reused()


async def _check_same(running_request: RunningRequest, repeated: Fingerprint) -> None:
    """Return if *repeated* is the request that runs in this worker.

    Raises:
        KeyReused: it is another request.
        Conflict: ``idempotency-running``; the recording of the first one is still arriving.
    """
    if running_request.words_digest != repeated.words_digest:
        raise key_reused()
    if not running_request.complete:
        raise running(RETRY_SECONDS)
    if await running_request.digest() != await repeated.digest():
        raise key_reused()


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


async def leased(
    lease: RequestLease, turn_request: TurnRequest, digest: Callable[[], Awaitable[str]], take: TakeTurn
) -> AsyncGenerator[Event]:
    """The events of a turn that is taken under *lease*, from where its journal ends.

    *digest* returns the fingerprint of the complete request.
    """
    journal = LeasedJournal(lease, digest)
    request = replace(turn_request, journal=journal, verify=journal.confirm)
    async with lease, aclosing(journal), aclosing(take(request)) as events:
        async for event in events:
            match event:
                case TurnDone(turn) if "conversation" not in turn.degraded:
                    lease.complete()
                case TurnFailed(error) if isinstance(error, Conflict):
                    # Another worker has the lease; its turn is stored or will be.
                    lease.complete()
                case TurnDone() | TurnFailed():
                    # Released before the end is delivered: the client may retry at once.
                    await journal.aclose()
                    await lease.release()
                case _:
                    pass
            yield event
