"""Admit a user to one more of a kind, or say when there will be one."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

from voice_core import telemetry
from voice_core.domain.errors import StageFailed, Unreachable, VoiceError
from voice_core.domain.events import Event, TurnCreated, TurnFailed
from voice_core.domain.limits import Allowance, Kind, Left, Limit, Rate, Standing, Used
from voice_core.ports.limits import Admissions
from voice_core.usecases.turn.request import Said

if TYPE_CHECKING:
    from voice_core.usecases.turn.request import TakeTurn

Known = TypeVar("Known")

REMEMBERED = 10_000
"""Users and kinds whose use one worker remembers: those it was asked about last."""


@dataclass(frozen=True, slots=True)
class LimitRules:
    """What everybody may do."""

    rates: Mapping[Kind, Rate]
    allowance: Allowance
    when_down: Literal["open", "closed"]
    """While the store is away: admit as much as this worker itself has counted, or nobody."""


class Admission:
    """Admits by *rules*, with what *store* counts. *clock* gives seconds since 1970.

    While the store is away each worker goes on from what it last knew of a user, and counts by itself. Those counts do
    not reach the store afterwards.
    """

    def __init__(self, store: Admissions, rules: LimitRules, clock: Callable[[], float]) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._used: OrderedDict[tuple[str, Kind], Used] = OrderedDict()
        """As the store last had it."""
        self._uncounted: OrderedDict[tuple[str, Kind], tuple[int, ...]] = OrderedDict()
        """Moments of what was admitted here while the store was away, newest first."""

    async def admit(self, user_id: str, kind: Kind, *, hears: bool) -> Standing:
        """Count one more of *kind* for the user, if there is one left, and sound left where it *hears* any.

        Raises:
            Unreachable: with stage ``limits``; the store is away, and then nobody is admitted.
        """
        rate, allowance = self._rules.rates[kind], self._rules.allowance if hears else None
        limits: tuple[Limit, ...] = (rate, allowance) if allowance else (rate,)
        now = round(self._clock() * 1000)
        if standing := self._known(user_id, kind, limits, now):
            return _told(standing)
        try:
            admitted, used = await self._store.admit(user_id, rate, allowance, now)
        except StageFailed as error:
            if self._rules.when_down == "closed":
                raise _unavailable(kind, error) from error
            standing = self._counted_here(user_id, rate, limits, now)
            _report(kind, error, admitted=standing.admitted)
            return _told(standing)
        _remember(self._used, (user_id, kind), used)
        return _told(Standing(admitted, _left(limits, used, now)))

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
        left = _left((self._rules.allowance,), used, round(self._clock() * 1000))
        _told(Standing(bool(left[0].count), left)).check()

    def _known(self, user_id: str, kind: Kind, limits: Sequence[Limit], now: int) -> Standing | None:
        """The standing of a user who had reached a limit, if that still lasts: until then no worker can have admitted
        them, and the store need not be asked. Of the limits not reached it may know too little by now.
        """
        used = self._used.get((user_id, kind), Used(()))
        used_up = [left for left in _left(limits, used, now) if not left.count]
        return Standing(admitted=False, left=used_up) if used_up else None

    def _counted_here(self, user_id: str, rate: Rate, limits: Sequence[Limit], now: int) -> Standing:
        """The standing as far as this worker knows. What is left is known for certain only when that is nothing."""
        key = user_id, rate.kind
        used, here = self._used.get(key, Used(())), self._uncounted.get(key, ())
        both = replace(used, moments=sorted((*used.moments, *here), reverse=True))
        if used_up := [left for left in _left(limits, both, now) if not left.count]:
            return Standing(admitted=False, left=used_up)
        _remember(self._uncounted, key, (now, *here)[: rate.most])
        return Standing(admitted=True)


async def admitted_turn(said: Said, take_turn: "TakeTurn", admission: Admission) -> AsyncGenerator[Event]:
    """The turn of somebody who has no request to be refused: a limit that is reached is the turn's failure."""
    try:
        standing = await admission.admit(said.user_id, "turns", hears=said.utterance is not None)
        standing.check()
    except VoiceError as error:
        error.extra |= {"turnId": said.turn_id, "conversationId": said.conversation_id}
        yield TurnCreated(said.turn_id, said.conversation_id)
        yield TurnFailed(error)
        return
    async with aclosing(take_turn(said)) as events:
        async for event in events:
            yield event


def _remember(known: OrderedDict[tuple[str, Kind], Known], key: tuple[str, Kind], what: Known) -> None:
    known[key] = what
    known.move_to_end(key)
    if len(known) > REMEMBERED:
        known.popitem(last=False)


def _unavailable(kind: Kind, error: StageFailed) -> Unreachable:
    _report(kind, error, admitted=False)
    return Unreachable("The usage counter is unavailable. Try again in a moment.", stage="limits")


def _report(kind: Kind, error: StageFailed, *, admitted: bool) -> None:
    telemetry.event("limits-down", {"limit": kind, "admitted": admitted} | telemetry.reason(error))


def _left(limits: Sequence[Limit], used: Used, now: int) -> tuple[Left, ...]:
    return tuple(limit.left(used, now) for limit in limits)


def _told(standing: Standing) -> Standing:
    if not standing.admitted:
        telemetry.event("limited", {"limit": " ".join(left.limit.name for left in standing.used_up)})
    return standing
