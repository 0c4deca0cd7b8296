"""Rate limits and the daily quota: admit a user's request, or report when one will be admitted again."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from voice_core import telemetry
from voice_core.domain.errors import StageFailed, Unreachable, VoiceError
from voice_core.domain.events import Event, TurnCreated, TurnFailed
from voice_core.domain.limits import DailyQuota, Kind, Limit, LimitStatus, Rate, Remainder, Usage
from voice_core.ports.limits import UsageStore
from voice_core.usecases.turn.request import TakeTurn, TurnRequest

Value = TypeVar("Value")

CACHE_SIZE = 10_000
"""Pairs of user and kind whose usage one worker remembers; the least recently requested is dropped first."""


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
    itself. Those counts do not reach the store afterwards.
    """

    def __init__(self, store: UsageStore, rules: LimitRules, clock: Callable[[], float]) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._usage: OrderedDict[tuple[str, Kind], Usage] = OrderedDict()
        """Usage as the store last returned it."""
        self._admitted_locally: OrderedDict[tuple[str, Kind], tuple[int, ...]] = OrderedDict()
        """Times of what was admitted here while the store was unavailable, newest first; milliseconds since 1970."""

    async def admit(self, user_id: str, kind: Kind, *, hears: bool) -> LimitStatus:
        """Count one more of *kind* for the user if the rate allows it, and the daily quota too where it *hears* sound.

        Raises:
            Unreachable: with stage ``limits``; the store is unavailable, and the rules are ``closed`` then.
        """
        rate, quota = self._rules.rates[kind], self._rules.quota if hears else None
        limits: tuple[Limit, ...] = (rate, quota) if quota else (rate,)
        now = round(self._clock() * 1000)
        if status := self._cached_refusal(user_id, kind, limits, now):
            return _report_limited(status)
        try:
            admitted, used = await self._store.admit(user_id, rate, quota, now)
        except StageFailed as error:
            if self._rules.when_down == "closed":
                raise _unavailable(kind, error) from error
            status = self._counted_locally(user_id, rate, limits, now)
            _report_outage(kind, error, admitted=status.admitted)
            return _report_limited(status)
        _store_in(self._usage, (user_id, kind), used)
        return _report_limited(LimitStatus(admitted, _remainders(limits, used, now)))

    async def check_sound(self, user_id: str) -> None:
        """Check the daily quota, for work that continues long after it was admitted.

        Raises:
            LimitReached: the user's quota of today is used up.
            Unreachable: as `admit`.
        """
        try:
            used = await self._store.audio_usage(user_id)
        except StageFailed as error:
            if self._rules.when_down == "closed":
                raise _unavailable("clips", error) from error
            _report_outage("clips", error, admitted=True)
            return
        left = _remainders((self._rules.quota,), used, round(self._clock() * 1000))
        _report_limited(LimitStatus(bool(left[0].count), left)).check()

    def _cached_refusal(self, user_id: str, kind: Kind, limits: Sequence[Limit], now: int) -> LimitStatus | None:
        """The refusal of a user who had reached a limit, while that lasts; None otherwise.

        Until the limit resets no worker can have admitted the user, so the store need not be called. Limits that had
        not been reached are left out: the usage of those may have changed since.
        """
        used = self._usage.get((user_id, kind), Usage(()))
        used_up = [left for left in _remainders(limits, used, now) if not left.count]
        return LimitStatus(admitted=False, left=used_up) if used_up else None

    def _counted_locally(self, user_id: str, rate: Rate, limits: Sequence[Limit], now: int) -> LimitStatus:
        """The status as far as this worker knows. It reports the remainder only of limits that are used up."""
        key = user_id, rate.kind
        used, here = self._usage.get(key, Usage(())), self._admitted_locally.get(key, ())
        both = replace(used, moments=sorted((*used.moments, *here), reverse=True))
        if used_up := [left for left in _remainders(limits, both, now) if not left.count]:
            return LimitStatus(admitted=False, left=used_up)
        _store_in(self._admitted_locally, key, (now, *here)[: rate.most])
        return LimitStatus(admitted=True)


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


def _store_in(cache: OrderedDict[tuple[str, Kind], Value], key: tuple[str, Kind], value: Value) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > CACHE_SIZE:
        cache.popitem(last=False)


def _unavailable(kind: Kind, error: StageFailed) -> Unreachable:
    _report_outage(kind, error, admitted=False)
    return Unreachable("The usage counter is unavailable. Try again in a moment.", stage="limits")


def _report_outage(kind: Kind, error: StageFailed, *, admitted: bool) -> None:
    telemetry.event("limits-down", {"limit": kind, "admitted": admitted} | telemetry.reason(error))


def _remainders(limits: Sequence[Limit], used: Usage, now: int) -> tuple[Remainder, ...]:
    return tuple(limit.left(used, now) for limit in limits)


def _report_limited(status: LimitStatus) -> LimitStatus:
    if not status.admitted:
        telemetry.event("limited", {"limit": " ".join(left.limit.name for left in status.used_up)})
    return status
