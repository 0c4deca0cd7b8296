"""Fetch a turn that has an idempotency key: while it runs, after it, and after its worker has died."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict, NotFound, VoiceError
from voice_core.domain.events import Event, SpeechDelta, SpeechDone, TranscriptDone, TurnCreated, TurnFailed
from voice_core.domain.idempotency import RequestClaim, RequestName
from voice_core.domain.journal import Journal
from voice_core.domain.position import Position
from voice_core.domain.speech import Hints, SpeechName
from voice_core.usecases.idempotency.idempotent_turn import IdempotentTurns, TurnHandlers, leased
from voice_core.usecases.idempotency.request_lease import new_worker, seconds_left, take_over
from voice_core.usecases.idempotency.resume import resume
from voice_core.usecases.idempotency.turn_run import KnownRequest, TurnRun
from voice_core.usecases.turn.request import TurnRequest

POLL_SECONDS = 1.0
"""Time between two reads of a turn that another worker takes."""


@dataclass(frozen=True, slots=True)
class FoundTurn:
    """A turn that has not ended: its *claim*, and its *run* if it runs in this worker."""

    claim: RequestClaim
    run: TurnRun | None

    @property
    def running(self) -> bool:
        """Whether a worker that may be alive is taking it."""
        return self.run is not None or seconds_left(self.claim) > 0

    @property
    def journal(self) -> Journal:
        """The results so far.

        Raises:
            NotFound: ``turn-not-found``; the claim has none.
        """
        if self.claim.journal is None:
            raise _not_found()
        return self.claim.journal


class FetchedTurns:
    """The turns of *idempotent_turns*, by their names."""

    def __init__(self, idempotent_turns: IdempotentTurns) -> None:
        self._turns = idempotent_turns

    async def find(self, name: SpeechName) -> Turn | FoundTurn:
        """The stored turn, or what is known of the one that has not ended.

        An interrupted turn that can be continued has not ended.

        Raises:
            NotFound: ``turn-not-found``.
            StageFailed: with stage ``conversations`` or ``requests``.
        """
        stored = await self._turns.stored(name.user_id, name.conversation_id, name.turn_id)
        if stored and not stored.interrupted:
            return stored
        claim = await self._claim(name)
        if claim is None:
            if stored is None:
                raise _not_found()
            return stored
        found = FoundTurn(claim, self._turns.runs.find(name.user_id, name.turn_id))
        if stored and not found.running and not found.journal.can_continue:
            return stored
        return found

    async def events(
        self, name: SpeechName, received: Position, handlers: TurnHandlers, voice: str | None, *, aloud: bool
    ) -> AsyncGenerator[Event]:
        """The events of the turn that the client has not *received*, from wherever it is; it is continued if necessary.

        Args:
            voice: for speech that is synthesised now; by default the one that the request named.

        Raises:
            NotFound, StageFailed: as `find`, before the first event; later errors are a TurnFailed.
            NotFound: ``turn-incomplete``; its recording did not arrive.
            LimitReached: it must be continued, which counts as a turn.
        """
        began = False
        async with aclosing(self._events(name, received, handlers, voice, aloud=aloud)) as events:
            try:
                async for event in events:
                    began = True
                    if aloud or not isinstance(event, SpeechDelta | SpeechDone):
                        yield event
            except VoiceError as error:
                if not began:
                    raise
                yield TurnFailed(error)

    async def _events(
        self, name: SpeechName, received: Position, handlers: TurnHandlers, voice: str | None, *, aloud: bool
    ) -> AsyncGenerator[Event]:
        reported: set[type[Event]] = set()
        while isinstance(found := await self.find(name), FoundTurn):
            if found.run:
                live = resume(found.run.follow(), received, reply=found.run.reply)
                break
            if not found.running:
                with suppress(Conflict):
                    live = resume((await self._continue(name, found, handlers, voice, aloud=aloud)).follow(), received)
                    break
            if TurnCreated not in reported:
                reported.add(TurnCreated)
                yield TurnCreated(name.turn_id, name.conversation_id)
            if found.journal.transcript and TranscriptDone not in reported:
                reported.add(TranscriptDone)
                yield TranscriptDone(found.journal.transcript)
            await asyncio.sleep(POLL_SECONDS)
        else:
            live = handlers.replay(found, received)
        async with aclosing(live):
            async for event in live:
                if type(event) not in reported:
                    yield event

    async def _continue(
        self, name: SpeechName, found: FoundTurn, handlers: TurnHandlers, voice: str | None, *, aloud: bool
    ) -> TurnRun:
        """Take the turn over from its dead worker.

        Raises:
            Conflict: another worker was faster.
            NotFound: ``turn-incomplete``.
            LimitReached: as `events`.
        """
        turns, journal = self._turns, found.journal
        if not journal.can_continue:
            raise NotFound(
                "The turn's recording did not arrive completely. Send its request again, with the same key.",
                code="turn-incomplete",
            )
        if handlers.admit:
            await handlers.admit()
        mine = found.claim.changed(worker=new_worker(), until=turns.rules.until())
        lease = await take_over(found.claim, mine, turns.requests, turns.rules)
        request = KnownRequest(found.claim.words_digest, journal.fingerprint or found.claim.words_digest)
        turn_request = TurnRequest(
            user_id=name.user_id,
            turn_id=name.turn_id,
            conversation_id=name.conversation_id,
            begins=journal.begins,
            text=journal.text,
            hints=Hints((journal.language,) if journal.language else ()),
            voice=voice or journal.voice,
            aloud=aloud and journal.aloud,
        )
        events = leased(lease, turn_request, request.digest, handlers.take)
        return turns.runs.start(name.user_id, name.turn_id, events, request)

    async def _claim(self, name: SpeechName) -> RequestClaim | None:
        """The claim of the turn; None when there is none, or when it belongs to another conversation."""
        requests, rules = self._turns.requests, self._turns.rules
        with suppress(NotFound):
            claim = await rules.in_time(requests.get(RequestName(name.user_id, name.turn_id)))
            if claim.journal and claim.journal.conversation_id == name.conversation_id:
                return claim
        return None


def _not_found() -> NotFound:
    return NotFound("There is no such turn.", code="turn-not-found")
