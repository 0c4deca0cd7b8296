"""Limits of one user: a number of requests of a kind in any window of time, and seconds of sound a day.

Moments are whole milliseconds since 1970: they are compared here and in the store, and must be equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from voice_core.domain.errors import LimitReached

Kind = Literal["turns", "transcripts", "speeches", "sessions", "clips"]
"""Kinds of requests that are counted for all workers together, in the store of usage."""

LocalKind = Literal["reads", "changes"]
"""Kinds of requests that each worker counts by itself: a count in the store would cost more than the request."""

DAY_SECONDS = 86_400
SKEW_SECONDS = 0.1
"""Added to every reported wait: the clock of the worker that gets the next request may be so much behind."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of a user, as last stored."""

    moments: Sequence[int]
    """When the latest of one kind were admitted, newest first."""
    day: int = 0
    """The day of `heard_ms`, counted from 1970, in UTC."""
    heard_ms: int = 0
    """Milliseconds of sound."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most *most* of *kind* in any *window_seconds*, wherever they begin."""

    kind: Kind | LocalKind
    most: int
    window_seconds: int

    @property
    def name(self) -> str:
        return self.kind

    def free(self, moment: int) -> int:
        """When a request that was admitted at *moment* ceases to count."""
        return moment + self.window_seconds * 1000

    def left(self, used: Usage, now: int) -> "Remainder":
        counting = [moment for moment in used.moments[: self.most] if self.free(moment) > now]
        wait_ms = self.free(counting[-1]) - now if counting else self.window_seconds * 1000
        return Remainder(self, self.most - len(counting), wait_ms / 1000 + SKEW_SECONDS)

    def __str__(self) -> str:
        return f"{self.most} {self.kind} within {_span(self.window_seconds)}"


@dataclass(frozen=True, slots=True)
class DailyQuota:
    """At most *seconds* of sound a day, from midnight UTC.

    The utterance, or the segment of a clip, that reaches it is transcribed completely.
    """

    seconds: int
    name = "audio"
    window_seconds = DAY_SECONDS

    @property
    def most(self) -> int:
        return self.seconds

    def left(self, used: Usage, now: int) -> "Remainder":
        heard_ms = used.heard_ms if used.day >= day(now) else 0
        wait_ms = (day(now) + 1) * DAY_SECONDS * 1000 - now
        return Remainder(self, max(0, ceil(self.seconds - heard_ms / 1000)), wait_ms / 1000 + SKEW_SECONDS)

    def __str__(self) -> str:
        return f"{self.seconds} seconds of sound a day"


Limit = Rate | DailyQuota


@dataclass(frozen=True, slots=True)
class Remainder:
    """The rest of one limit that a user may still use."""

    limit: Limit
    count: int
    """Requests of the kind, or seconds; the last part of a second counts as 1."""
    wait_seconds: float
    """Until more is available."""


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """Whether a request is admitted, and the rest of each limit that applies to it; none when that is unknown."""

    admitted: bool
    left: Sequence[Remainder] = ()

    @property
    def used_up(self) -> Sequence[Remainder]:
        """The limits that are used up."""
        return [left for left in self.left if not left.count]

    def check(self) -> None:
        """Raise LimitReached unless the request is admitted, with the time after which the same will be admitted."""
        if self.admitted:
            return
        # A limit that was used up may have been reset since.
        violated = self.used_up or self.left
        wait = max(1, *(ceil(left.wait_seconds) for left in violated))
        raise LimitReached(
            f"Your limit is {' and '.join(str(left.limit) for left in violated)}. Try again in {_rounded(wait)}.",
            retry_after=wait,
            extra={"violated-policies": [left.limit.name for left in violated]},
        )


def day(moment: int) -> int:
    """The day of *moment*, counted from 1970."""
    return moment // (DAY_SECONDS * 1000)


def _rounded(seconds: int) -> str:
    """*seconds* for people: rounded up, so that a client that waits that long is not refused again."""
    if seconds <= 90:
        return f"{seconds} s"
    return f"{ceil(seconds / 60)} min" if seconds <= 5400 else f"{ceil(seconds / 3600)} h"


def _span(seconds: int) -> str:
    return {60: "a minute", 3600: "an hour", DAY_SECONDS: "a day"}.get(seconds, f"{seconds} seconds")
