"""Usage as one worker knows it without the store: as it was last read, and as the worker has counted by itself."""

from collections import OrderedDict
from typing import TypeVar

from voice_core.domain.limits import Kind, Rate, Usage, day

Key = TypeVar("Key")
Value = TypeVar("Value")

CACHE_SIZE = 10_000
"""Entries of each kind of knowledge; the least recently changed is dropped first."""


class LocalUsage:
    """The usage of the users of one worker. Times are in milliseconds since 1970."""

    def __init__(self) -> None:
        self._read: OrderedDict[tuple[str, str], Usage] = OrderedDict()
        """Usage by user and kind, as the store last returned it."""
        self._admitted: OrderedDict[tuple[str, str], tuple[int, ...]] = OrderedDict()
        """Times of what was admitted here while the store was unavailable, newest first."""
        self._heard: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """Day and milliseconds of sound, as the store last returned them for any kind."""
        self._unstored: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """Day and milliseconds of sound that the store has not counted yet."""

    def note(self, user_id: str, kind: Kind | None, used: Usage) -> None:
        """Remember *used*, which the store has returned; with no *kind* it has sound only."""
        if kind is not None:
            _store_in(self._read, (user_id, kind), used)
        if used.day >= self._heard.get(user_id, (0, 0))[0]:
            _store_in(self._heard, user_id, (used.day, used.heard_ms))

    def known(self, user_id: str, kind: Kind | None, now: int) -> Usage:
        """All that is known of the user's usage: at least this much has been used.

        A time in the future was written by a wrong clock. If the store returned it, the store is trusted no longer;
        if this worker counted it, its own clock has been set back, and it counts as now.
        """
        key = (user_id, str(kind))
        moments = self._read.get(key, Usage(())).moments
        if moments and moments[0] > now:
            moments = ()
        here = tuple(min(moment, now) for moment in self._admitted.get(key, ()))
        if here:
            self._admitted[key] = here
        both = sorted((*moments, *here), reverse=True)
        on, heard_ms = self._heard.get(user_id, (0, 0))
        today = max(on, day(now))
        return Usage(both, today, (heard_ms if on == today else 0) + self.unstored_ms(user_id, now))

    def count(self, user_id: str, rate: Rate, now: int) -> None:
        """Count an admission that the store could not count."""
        key = (user_id, str(rate.kind))
        _store_in(self._admitted, key, (now, *self._admitted.get(key, ()))[: rate.most])

    def unstored_ms(self, user_id: str, now: int) -> int:
        """Milliseconds of today's sound that the store has not counted."""
        on, heard_ms = self._unstored.get(user_id, (0, 0))
        return heard_ms if on == day(now) else 0

    def add_unstored(self, user_id: str, heard_ms: int, now: int) -> None:
        """Count sound that the store could not count."""
        _store_in(self._unstored, user_id, (day(now), self.unstored_ms(user_id, now) + heard_ms))

    def take_unstored(self, user_id: str, now: int) -> int:
        """The same as `unstored_ms`, which the caller is about to store."""
        heard_ms = self.unstored_ms(user_id, now)
        self._unstored.pop(user_id, None)
        return heard_ms


def _store_in(cache: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > CACHE_SIZE:
        cache.popitem(last=False)
