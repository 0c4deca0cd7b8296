"""How much one person may do: so many of a kind in any stretch of time, and so many seconds of sound a day.

Moments are milliseconds since 1970, in whole numbers: they are compared here and in the store, and must be the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from voice_core.domain.errors import LimitReached

Kind = Literal["turns", "transcripts", "speeches", "sessions", "clips"]
"""What is counted one by one."""

DAY_SECONDS = 86_400
SKEW_SECONDS = 0.1
"""Told on top of every wait: the clock of the worker that is asked next may be so much behind."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a user has used, as the store last had it."""

    moments: Sequence[int]
    """When the latest of one kind were admitted, newest first."""
    day: int = 0
    """The day, since 1970 in UTC, of which `heard_ms` is."""
    heard_ms: int = 0
    """Milliseconds of sound."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most *most* of *kind* in any *window_seconds*, wherever they begin."""

    kind: Kind
    most: int
    window_seconds: int

    @property
    def name(self) -> str:
        return self.kind

    def free(self, moment: int) -> int:
        """When what was admitted at *moment* ceases to count."""
        return moment + self.window_seconds * 1000

    def left(self, used: Usage, now: int) -> "Remaining":
        counting = [moment for moment in used.moments[: self.most] if self.free(moment) > now]
        wait_ms = self.free(counting[-1]) - now if counting else self.window_seconds * 1000
        return Remaining(self, self.most - len(counting), wait_ms / 1000 + SKEW_SECONDS)

    def __str__(self) -> str:
        return f"{self.most} {self.kind} within {_span(self.window_seconds)}"


@dataclass(frozen=True, slots=True)
class DailyQuota:
    """At most *seconds* of sound a day, which begins at midnight UTC. The utterance that reaches it is heard whole."""

    seconds: int
    name = "audio"
    window_seconds = DAY_SECONDS

    @property
    def most(self) -> int:
        return self.seconds

    def left(self, used: Usage, now: int) -> "Remaining":
        heard_ms = used.heard_ms if used.day >= day(now) else 0
        wait_ms = (day(now) + 1) * DAY_SECONDS * 1000 - now
        return Remaining(self, max(0, ceil(self.seconds - heard_ms / 1000)), wait_ms / 1000 + SKEW_SECONDS)

    def __str__(self) -> str:
        return f"{self.seconds} seconds of sound a day"


Limit = Rate | DailyQuota


@dataclass(frozen=True, slots=True)
class Remaining:
    """What a user has left of one limit."""

    limit: Limit
    count: int
    """Of the kind, or seconds; the last is told as 1, however short it is."""
    wait_seconds: float
    """Until there may be more of it."""


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """Whether a user may go on, and what is left of each limit that was asked about; none when it cannot be known."""

    admitted: bool
    left: Sequence[Remaining] = ()

    @property
    def used_up(self) -> Sequence[Remaining]:
        """Those of which nothing is left."""
        return [left for left in self.left if not left.count]

    def check(self) -> None:
        """Raises LimitReached, with the time after which the same will be admitted."""
        if self.admitted:
            return
        wait = ceil(max(left.wait_seconds for left in self.used_up))
        raise LimitReached(
            f"You may have {' and '.join(str(left.limit) for left in self.used_up)}. Go on in {_rounded(wait)}.",
            retry_after=wait,
            extra={"violated-policies": [left.limit.name for left in self.used_up]},
        )


def day(moment: int) -> int:
    """The day of *moment*, counted from 1970."""
    return moment // (DAY_SECONDS * 1000)


def _rounded(seconds: int) -> str:
    """For people: rounded up, so that nobody comes too early."""
    if seconds <= 90:
        return f"{seconds} s"
    return f"{ceil(seconds / 60)} min" if seconds <= 5400 else f"{ceil(seconds / 3600)} h"


def _span(seconds: int) -> str:
    return {60: "a minute", 3600: "an hour", DAY_SECONDS: "a day"}.get(seconds, f"{seconds} seconds")
