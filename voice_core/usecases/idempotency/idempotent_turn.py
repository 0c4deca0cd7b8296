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
from voice_core.usecases.idempotency.fingerprint import Repeatable, key_reused
from voice_core.usecases.idempotency.request_lease import STAGE, Hold, HoldRules, taken
from voice_core.usecases.resilience.deadlines import in_time
from voice_core.usecases.turn.request import Said
from voice_core.usecases.turn.services import Company

PART = "idempotency"
"""What a turn goes without when the store of requests is away."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a turn is told: when it is taken, and when it is told again."""

    take: Callable[[Said], AsyncGenerator[Event]]
    replay: Callable[[Turn], AsyncGenerator[Event]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """Sees to it that turns are taken once, and told again to whoever asks again."""

    requests: Requests
    company: Company
    rules: HoldRules

    async def turn(self, said: Said, request: Repeatable, ways: Ways) -> AsyncGenerator[Event]:
        """The turn, event by event; the last is TurnDone or TurnFailed.

        It fails with KeyReused or Conflict, ``idempotency-running``, before anything is paid for. A store of requests
        that is away costs the protection, not the turn: it is noted as ``idempotency`` degraded.
        """
        async with _recalling(said, self.company) as recalled:
            try:
                events = await self._begun(recalled, request, ways)
            except VoiceError as error:
                yield TurnCreated(said.turn_id, said.conversation_id)
                yield TurnFailed(error)
                return
            async with aclosing(events):
                async for event in events:
                    yield event

    async def _begun(self, said: Said, request: Repeatable, ways: Ways) -> AsyncGenerator[Event]:
        fingerprint = request.fingerprint
        found: Hold | Turn | None
        try:
            found = await taken(request.name, fingerprint, lambda: self._stored(said), self.requests, self.rules)
        except StageFailed as error:
            if error.stage != STAGE:
                raise
            telemetry.event("degraded", {"turn": said.turn_id, "part": PART, **telemetry.reason(error)})
            found = await self._stored_as_far_as_known(said)
        if isinstance(found, Hold):
            return _held(found, said, ways)
        if found is None:
            return ways.take(replace(said, seal=fingerprint.whole, degraded=(PART,)))
        if found.fingerprint != await fingerprint.whole():
            raise key_reused()
        telemetry.event("replayed", {"turn": found.id})
        return ways.replay(found)

    async def _stored(self, said: Said) -> Turn | None:
        """The turn, if it was taken to its end."""
        company = self.company
        turn = company.conversations.turn(said.user_id, said.conversation_id, said.turn_id)
        try:
            found = await in_time(turn, "conversations", company.deadlines.conversations)
        except NotFound:
            return None
        return None if found.interrupted else found

    async def _stored_as_far_as_known(self, said: Said) -> Turn | None:
        with suppress(StageFailed):
            return await self._stored(said)
        return None


@asynccontextmanager
async def _recalling(said: Said, company: Company) -> AsyncIterator[Said]:
    """*said*, while what its conversation knows is being fetched: that need not wait for the right to answer."""
    if said.begins:
        yield said
        return
    recent = company.conversations.recent(said.user_id, said.conversation_id, company.history_turns)
    recalled = asyncio.ensure_future(recent)
    try:
        yield replace(said, recalled=recalled)
    finally:
        recalled.cancel()
        await asyncio.gather(recalled, return_exceptions=True)


async def _held(hold: Hold, said: Said, ways: Ways) -> AsyncGenerator[Event]:
    async with hold, aclosing(ways.take(replace(said, seal=hold.seal))) as events:
        async for event in events:
            match event:
                case TurnDone(turn) if "conversation" not in turn.degraded:
                    hold.kept()
                case TurnFailed(error) if isinstance(error, Conflict):
                    # It is another's, whose turn is kept or will be.
                    hold.kept()
                case TurnFailed():
                    # Whoever hears of the failure may try again at once.
                    await hold.give_back()
                case _:
                    pass
            yield event
