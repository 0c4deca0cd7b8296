"""Admit a user to one more of a kind, or say when there will be one."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

from voice_core import telemetry
from voice_core.domain.errors import StageFailed, Unreachable, VoiceError
from voice_core.domain.events import Event, TurnCreated, TurnFailed
from voice_core.domain.limits import DailyQuota, Kind, Limit, LimitStatus, Rate, Remaining, Usage
from voice_core.ports.limits import Admissions
from voice_core.usecases.turn.request import TurnRequest

if TYPE_CHECKING:
    from voice_core.usecases.turn.request import TakeTurn

Value = TypeVar("Value")

REMEMBERED = 10_000
"""Users and kinds whose use one worker remembers: those it was asked about last."""


@dataclass(frozen=True, slots=True)
class LimitRules:
    """What everybody may do."""

    rates: Mapping[Kind, Rate]
    quota: DailyQuota
    when_down: Literal["open", "closed"]
    """While the store is away: admit as much as this worker itself has counted, or nobody."""


class RateLimiter:
    """Admits by *rules*, with what *store* counts. *clock* gives seconds since 1970.

    While the store is away each worker goes on from what it last knew of a user, and counts by itself. Those counts do
    not reach the store afterwards.
    """

    def __init__(self, store: Admissions, rules: LimitRules, clock: Callable[[], float]) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._used: OrderedDict[tuple[str, Kind], Usage] = OrderedDict()
        """As the store last had it."""
        self._uncounted: OrderedDict[tuple[str, Kind], tuple[int, ...]] = OrderedDict()
        """Moments of what was admitted here while the store was away, newest first."""

    async def admit(self, user_id: str, kind: Kind, *, hears: bool) -> LimitStatus:
        """Count one more of *kind* for the user, if there is one left, and sound left where it *hears* any.

        Raises:
            Unreachable: with stage ``limits``; the store is away, and then nobody is admitted.
        """
        rate, quota = self._rules.rates[kind], self._rules.quota if hears else None
        limits: tuple[Limit, ...] = (rate, quota) if quota else (rate,)
        now = round(self._clock() * 1000)
        if status := self._known(user_id, kind, limits, now):
            return _told(status)
        try:
            admitted, used = await self._store.admit(user_id, rate, quota, now)
        except StageFailed as error:
            if self._rules.when_down == "closed":
                raise _unavailable(kind, error) from error
            status = self._counted_here(user_id, rate, limits, now)
            _report(kind, error, admitted=status.admitted)
            return _told(status)
        _remember(self._used, (user_id, kind), used)
        return _told(LimitStatus(admitted, _left(limits, used, now)))

    async def check_sound(self, user_id: str) -> None:
        """For work that goes on long after it was admitted.

        Raises:
            LimitReached: the user has no sound left today.
            Unreachable: as `admit`.
        """
        try:
            used = await self._store.heard(user_id)
        except StageFailed as error:
            if self._rules.when_down == "closed":
                raise _unavailable("clips", error) from error
            _report("clips", error, admitted=True)
            return
        left = _left((self._rules.quota,), used, round(self._clock() * 1000))
        _told(LimitStatus(bool(left[0].count), left)).check()

    def _known(self, user_id: str, kind: Kind, limits: Sequence[Limit], now: int) -> LimitStatus | None:
        """The standing of a user who had reached a limit, if that still lasts: until then no worker can have admitted
        them, and the store need not be asked. Of the limits not reached it may know too little by now.
        """
        used = self._used.get((user_id, kind), Usage(()))
        used_up = [left for left in _left(limits, used, now) if not left.count]
        return LimitStatus(admitted=False, left=used_up) if used_up else None

    def _counted_here(self, user_id: str, rate: Rate, limits: Sequence[Limit], now: int) -> LimitStatus:
        """The standing as far as this worker knows. What is left is known for certain only when that is nothing."""
        key = user_id, rate.kind
        used, here = self._used.get(key, Usage(())), self._uncounted.get(key, ())
        both = replace(used, moments=sorted((*used.moments, *here), reverse=True))
        if used_up := [left for left in _left(limits, both, now) if not left.count]:
            return LimitStatus(admitted=False, left=used_up)
        _remember(self._uncounted, key, (now, *here)[: rate.most])
        return LimitStatus(admitted=True)


async def rate_limited_turn(
    request: TurnRequest, take_turn: "TakeTurn", rate_limiter: RateLimiter
) -> AsyncGenerator[Event]:
    """The turn of somebody who has no request to be refused: a limit that is reached is the turn's failure."""
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


def _remember(known: OrderedDict[tuple[str, Kind], Value], key: tuple[str, Kind], what: Value) -> None:
    known[key] = what
    known.move_to_end(key)
    if len(known) > REMEMBERED:
        known.popitem(last=False)


def _unavailable(kind: Kind, error: StageFailed) -> Unreachable:
    _report(kind, error, admitted=False)
    return Unreachable("The usage counter is unavailable. Try again in a moment.", stage="limits")


def _report(kind: Kind, error: StageFailed, *, admitted: bool) -> None:
    telemetry.event("limits-down", {"limit": kind, "admitted": admitted} | telemetry.reason(error))


def _left(limits: Sequence[Limit], used: Usage, now: int) -> tuple[Remaining, ...]:
    return tuple(limit.left(used, now) for limit in limits)


def _told(status: LimitStatus) -> LimitStatus:
    if not status.admitted:
        telemetry.event("limited", {"limit": " ".join(left.limit.name for left in status.used_up)})
    return status
