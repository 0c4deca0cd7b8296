"""One worker at a time answers a request: who is at it says so, again and again, until the answer is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TypeVar
from uuid import uuid4

from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict, NotFound, StageFailed
from voice_core.domain.idempotency import RequestClaim, RequestName
from voice_core.ports.idempotency import Requests
from voice_core.usecases.idempotency.fingerprint import Fingerprint, key_reused
from voice_core.usecases.resilience.deadlines import in_time

Result = TypeVar("Result")

STAGE = "requests"

RENEWALS = 3
"""Within the time that a hold lasts: two may fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRules:
    """Seconds."""

    seconds: float = 15.0
    """After which a worker that was not heard of counts as dead."""
    deadline: float = 3.0
    """For one look at the store, or one line in it."""

    def until(self) -> datetime:
        """To when a hold lasts that is taken or renewed now."""
        return datetime.now(UTC) + timedelta(seconds=self.seconds)

    async def in_time(self, work: Awaitable[Result]) -> Result:
        """What *work* gives; raises StageTimedOut with stage ``requests``."""
        return await in_time(work, STAGE, self.deadline)


class RequestLease:
    """The right to answer a request, renewed inside its block.

    When the block ends others may have it, unless the answer is `kept`.
    """

    def __init__(self, request: RequestClaim, fingerprint: Fingerprint, store: Requests, rules: LeaseRules) -> None:
        self._request = request
        self._fingerprint = fingerprint
        self._store = store
        self._rules = rules
        self._renewing: asyncio.Task[None] | None = None
        self._ours = True

    async def __aenter__(self) -> "RequestLease":
        self._renewing = asyncio.create_task(self._renew_again_and_again())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop_renewing()
        if self._ours:
            await self.give_back()

    def kept(self) -> None:
        """The answer is kept: whoever asks again gets that, and the claim is left alone."""
        self._ours = False
        if self._renewing is not None:
            self._renewing.cancel()

    async def give_back(self) -> None:
        """Let others answer at once, or, where that cannot be noted, when we have not been heard of for long enough."""
        self._ours = False
        await self._stop_renewing()
        with suppress(StageFailed):
            await self._rules.in_time(self._store.delete(self._request))

    async def seal(self) -> str:
        """The fingerprint of the whole request, whose answer may be kept now.

        Raises:
            Conflict: ``idempotency-running``; we were not heard of for so long that another worker took over.
        """
        whole = await self._fingerprint.whole()
        if self._request.until - datetime.now(UTC) < timedelta(seconds=self._rules.seconds / RENEWALS):
            # Where this cannot be known, the turn's id still sees to it that only one is stored.
            with suppress(StageFailed):
                await self._renew()
        return whole

    async def _stop_renewing(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)

    async def _renew_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(self._rules.seconds / RENEWALS)
            with suppress(StageFailed):
                await self._renew()

    async def _renew(self) -> None:
        mine = self._request.changed(until=self._rules.until())
        try:
            self._request = await self._rules.in_time(self._store.replace(mine))
        except Conflict:
            self._request = await self._still_ours()

    async def _still_ours(self) -> RequestClaim:
        """The request as it is, after an answer of the store's was lost; or else raises Conflict."""
        try:
            found = await self._rules.in_time(self._store.get(self._request.name))
        except NotFound:
            raise _running(0.0) from None
        if found.worker != self._request.worker:
            raise _running(_seconds_left(found))
        return found


async def taken(
    name: RequestName,
    fingerprint: Fingerprint,
    answer: Callable[[], Awaitable[Turn | None]],
    store: Requests,
    rules: LeaseRules,
) -> RequestLease | Turn:
    """The right to answer the request, or the *answer* that it had before.

    Raises:
        KeyReused: another request has this name.
        Conflict: ``idempotency-running``; a worker that may be alive is at it.
        StageFailed: with stage ``requests``, or as *answer* does.
    """
    worker = uuid4().hex
    while True:
        mine = RequestClaim(name, fingerprint.words_digest, worker, rules.until())
        with suppress(Conflict):
            return RequestLease(await rules.in_time(store.add(mine)), fingerprint, store, rules)
        try:
            found = await rules.in_time(store.get(name))
        except NotFound:
            continue
        if found.worker == worker:
            # It was kept, and the answer to that lost.
            return RequestLease(found, fingerprint, store, rules)
        if found.words_digest != mine.words_digest:
            raise key_reused()
        if (turn := await answer()) is not None:
            return turn
        if _seconds_left(found) > 0:
            raise _running(_seconds_left(found))
        with suppress(Conflict):
            taken_over = store.replace(found.changed(worker=worker, until=mine.until))
            return RequestLease(await rules.in_time(taken_over), fingerprint, store, rules)


def _seconds_left(request: RequestClaim) -> float:
    return (request.until - datetime.now(UTC)).total_seconds()


def _running(seconds: float) -> Conflict:
    detail = "This request is being answered already. Send it again, with the same key, when Retry-After says."
    return Conflict(detail, code="idempotency-running", retry_after=seconds)
