"""Rate limits and the daily quota: admit a user's request, or report when one will be admitted again."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

from voice_core import telemetry
from voice_core.domain.errors import StageFailed, Unreachable, VoiceError
from voice_core.domain.events import Event, TurnCreated, TurnFailed
from voice_core.domain.limits import DailyQuota, Kind, Limit, LimitStatus, Rate, Remainder, Usage
from voice_core.ports.limits import UsageStore
from voice_core.usecases.limits.local_usage import LocalUsage
from voice_core.usecases.turn.request import TakeTurn, TurnRequest


@dataclass(frozen=True, slots=True)
class LimitRules:
    """The limits, which are the same for all users."""

    rates: Mapping[Kind, Rate]
    quota: DailyQuota
    when_down: Literal["open", "closed"]
    """While the store is unavailable: ``open`` admits by this worker's own counts, ``closed`` admits nothing."""


class RateLimiter:
    """Admits requests by *rules* and the usage in *store*. *clock* gives seconds since 1970.

    While the store is unavailable, each worker continues from the last usage it has read of a user and counts by
    itself, in *local*. Those counts do not reach the store afterwards, but this worker continues to respect them.
    """

    def __init__(
        self, store: UsageStore, rules: LimitRules, clock: Callable[[], float], local: LocalUsage | None = None
    ) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._local = local or LocalUsage()

    async def admit(self, user_id: str, kind: Kind, *, hears: bool) -> LimitStatus:
        """Count one more of *kind* for the user if the rate allows it, and the daily quota too where it *hears* sound.

        Raises:
            Unreachable: with stage ``limits``; the store is unavailable, and the rules are ``closed`` then.
        """
        rate, quota = self._rules.rates[kind], self._rules.quota if hears else None
        limits: tuple[Limit, ...] = (rate, quota) if quota else (rate,)
        now = self._now()
        if status := self._known_refusal(user_id, kind, limits, now):
            return report_limited(status)
        try:
            admitted, used = await self._store.admit(user_id, rate, quota, now)
        except StageFailed as error:
            if self._rules.when_down == "closed":
                raise unavailable(kind, error) from error
            # Again: while the store was called, other requests of the user may have been admitted.
            status = self._known_refusal(user_id, kind, limits, now) or LimitStatus(admitted=True)
            if status.admitted:
                self._local.count(user_id, rate, now)
            report_outage(kind, error, admitted=status.admitted)
            return report_limited(status)
        self._local.note(user_id, kind, used)
        # The store's response may have corrected this worker's clock.
        now = self._now()
        # While the store was called, it may have failed for other requests of the user, which were counted here.
        if admitted and (status := self._known_refusal(user_id, kind, limits, now, stored=1)):
            return report_limited(status)
        return report_limited(LimitStatus(admitted, remainders(limits, used, now)))

    def _known_refusal(
        self, user_id: str, kind: Kind, limits: Sequence[Limit], now: int, stored: int = 0
    ) -> LimitStatus | None:
        """The refusal of a user who had reached a limit, while that lasts; None otherwise.

        The newest *stored* admissions are those of the request itself.
        Until the limit resets no worker can have admitted the user, so the store need not be called. Limits that had
        not been reached are left out: the usage of those may have changed since.
        """
        used = self._local.known(user_id, kind, now)
        others = replace(used, moments=used.moments[stored:])
        used_up = [left for left in remainders(limits, others, now) if not left.count]
        return LimitStatus(admitted=False, left=used_up) if used_up else None

    def _now(self) -> int:
        return round(self._clock() * 1000)


async def rate_limited_turn(
    request: TurnRequest, take_turn: TakeTurn, rate_limiter: RateLimiter
) -> AsyncGenerator[Event]:
    """The turn of a session, which has no HTTP request to refuse: when a limit is reached, the turn fails with it."""
    try:
        status = await rate_limiter.admit(request.user_id, "turns", hears=request.utterance is not None)
        status.check()
    except VoiceError as error:
        error.extra |= {"turnId": request.turn_id, "conversationId": request.conversation_id}
        yield TurnCreated(request.turn_id, request.conversation_id)
        yield TurnFailed(error)
        return
    async with aclosing(take_turn(request)) as events:
        async for event in events:
            yield event


def unavailable(kind: str, error: StageFailed) -> Unreachable:
    """The error when the store is unavailable and the rules are ``closed``; it is reported to the operator."""
    report_outage(kind, error, admitted=False)
    return Unreachable("The usage counter is unavailable. Try again in a moment.", stage="limits")


def report_outage(kind: str, error: StageFailed, *, admitted: bool) -> None:
    """Report the event ``limits-down``."""
    telemetry.event("limits-down", {"limit": kind, "admitted": admitted} | telemetry.reason(error))


def remainders(limits: Sequence[Limit], used: Usage, now: int) -> tuple[Remainder, ...]:
    """The rest of each of *limits*."""
    return tuple(limit.left(used, now) for limit in limits)


def report_limited(status: LimitStatus) -> LimitStatus:
    """Report the event ``limited`` if the request is not admitted."""
    if not status.admitted:
        telemetry.event("limited", {"limit": " ".join(left.limit.name for left in status.used_up)})
    return status
