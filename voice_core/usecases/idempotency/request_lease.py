"""The lease by which one worker at a time processes a request; it is renewed until the turn is stored."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TypeVar
from uuid import uuid4

from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict, NotFound, StageFailed
from voice_core.domain.idempotency import RequestClaim
from voice_core.domain.journal import Journal
from voice_core.ports.idempotency import Requests
from voice_core.usecases.idempotency.fingerprint import key_reused
from voice_core.usecases.resilience.deadlines import in_time

Result = TypeVar("Result")

STAGE = "requests"

RENEWALS = 3
"""Renewals within the lifetime of a claim: two of them may fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRules:
    """Times of a lease, in seconds."""

    seconds: float = 15.0
    """Lifetime of a claim: a worker that has not renewed it by then counts as dead."""
    deadline: float = 3.0
    """Deadline of one read or write of the store."""

    def until(self) -> datetime:
        """Expiry, in UTC, of a claim that is acquired or renewed now."""
        return datetime.now(UTC) + timedelta(seconds=self.seconds)

    async def in_time(self, work: Awaitable[Result]) -> Result:
        """The result of *work*; raises StageTimedOut with stage ``requests``."""
        return await in_time(work, STAGE, self.deadline)


class RequestLease:
    """The right to process a request, renewed while its ``async with`` block runs.

    At the end of the block it is released to other workers, unless `complete` was called.
    """

    def __init__(self, request: RequestClaim, store: Requests, rules: LeaseRules) -> None:
        self._request = request
        self._store = store
        self._rules = rules
        self._renewing: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._ours = True

    async def __aenter__(self) -> "RequestLease":
        self._renewing = asyncio.create_task(self._renew_periodically())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop_renewing()
        if self._ours:
            # The turn was stopped: it did not fail.
            await self._release(keep=bool(self._request.journal and self._request.journal.can_continue))

    @asynccontextmanager
    async def renewed(self) -> AsyncIterator[None]:
        """Renew the lease during the block, which precedes the work; release it if the block fails."""
        self._renewing = asyncio.create_task(self._renew_periodically())
        try:
            yield
        except BaseException:
            # A client that disconnects ends the block, and may cancel its end.
            await asyncio.shield(self.release())
            raise
        await self._stop_renewing()

    @property
    def journal(self) -> Journal:
        """The results of the turn so far.

        Raises:
            StageFailed: the claim has none.
        """
        if self._request.journal is None:
            raise StageFailed("The request was claimed without a journal.", stage=STAGE, retryable=False)
        return self._request.journal

    def complete(self) -> None:
        """Stop renewing and leave the claim as it is: the turn is stored, and a repeated request replays it."""
        self._ours = False
        if self._renewing is not None:
            self._renewing.cancel()

    async def release(self) -> None:
        """Release the lease of a turn that failed; a journal that saves work stays for the next worker.

        If the store cannot be reached, the lease expires by itself.
        """
        journal = self._request.journal
        await self._release(keep=bool(journal and (journal.transcript or journal.rounds)))

    async def _release(self, *, keep: bool) -> None:
        self._ours = False
        await self._stop_renewing()
        with suppress(StageFailed, Conflict):
            if keep:
                released = self._store.replace(self._request.changed(until=datetime.now(UTC)))
                await self._rules.in_time(released)
            else:
                await self._rules.in_time(self._store.delete(self._request))

    async def write(self, journal: Journal) -> None:
        """Store *journal*, and renew the lease with it.

        Raises:
            Conflict: ``idempotency-running``; the lease had expired and another worker took it over.
            StageFailed: with stage ``requests``; the journal is not stored.
        """
        async with self._writing:
            await self._replace(journal)

    async def confirm(self) -> None:
        """Return if the lease is still ours, as far as can be known, and will be for long enough to store the turn.

        Raises:
            Conflict: as `write`.
        """
        if self._request.until - datetime.now(UTC) < timedelta(seconds=self._rules.seconds / RENEWALS):
            # If the store cannot be reached, the turn's id still ensures that only one turn is stored.
            with suppress(StageFailed):
                await self._renew()

    async def _stop_renewing(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)

    async def _renew_periodically(self) -> None:
        while True:
            await asyncio.sleep(self._rules.seconds / RENEWALS)
            with suppress(StageFailed):
                await self._renew()

    async def _renew(self) -> None:
        async with self._writing:
            await self._replace(self._request.journal)

    async def _replace(self, journal: Journal | None) -> None:
        mine = self._request.changed(until=self._rules.until(), journal=journal)
        try:
            self._request = await self._rules.in_time(self._store.replace(mine))
        except Conflict:
            self._request = await self._still_ours()
            if self._request.journal != journal:
                await self._replace(journal)

    async def _still_ours(self) -> RequestClaim:
        """The stored claim, if it is ours because a response of the store was lost; otherwise raises Conflict."""
        try:
            found = await self._rules.in_time(self._store.get(self._request.name))
        except NotFound:
            raise running(0.0) from None
        if found.worker != self._request.worker:
            raise running(seconds_left(found))
        return found


async def acquire(
    mine: RequestClaim, find_turn: Callable[[], Awaitable[Turn | None]], store: Requests, rules: LeaseRules
) -> RequestLease | Turn:
    """The lease on the request that *mine* claims, or the turn that *find_turn* finds stored for it.

    The journal of a lease that was taken over is that of the worker before.

    Raises:
        KeyReused: a different request has this name.
        Conflict: ``idempotency-running``; a worker that may be alive is processing it.
        StageFailed: with stage ``requests``, or as *find_turn* does.
    """
    while True:
        with suppress(Conflict):
            return RequestLease(await rules.in_time(store.add(mine)), store, rules)
        try:
            found = await rules.in_time(store.get(mine.name))
        except NotFound:
            continue
        if found.worker == mine.worker:
            # The claim was stored, and the response to that was lost.
            return RequestLease(found, store, rules)
        if found.words_digest != mine.words_digest:
            raise key_reused()
        if (turn := await find_turn()) is not None:
            return turn
        if seconds_left(found) > 0:
            raise running(seconds_left(found))
        with suppress(Conflict):
            return await take_over(found, mine, store, rules)


async def take_over(found: RequestClaim, mine: RequestClaim, store: Requests, rules: LeaseRules) -> RequestLease:
    """The lease on a request whose worker counts as dead, with the journal of that worker.

    Raises:
        Conflict: another worker was faster.
    """
    taken = found.changed(worker=mine.worker, until=rules.until(), journal=found.journal or mine.journal)
    return RequestLease(await rules.in_time(store.replace(taken)), store, rules)


def new_worker() -> str:
    """The name of one worker's attempt to process a request."""
    return uuid4().hex


def seconds_left(request: RequestClaim) -> float:
    """Seconds until the lease expires; negative when it has expired."""
    return (request.until - datetime.now(UTC)).total_seconds()


def running(seconds: float) -> Conflict:
    """The error for a request that another worker processes, whose lease expires in *seconds*."""
    detail = "This request is already being processed. Send it again with the same key after Retry-After."
    return Conflict(detail, code="idempotency-running", retry_after=seconds)
