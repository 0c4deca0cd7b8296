"""Leaving a provider alone that fails again and again, so that its death costs milliseconds and not deadlines."""

import asyncio
from collections.abc import Callable
from math import ceil
from time import monotonic
from typing import Literal, TypeVar

from voice_core import telemetry
from voice_core.domain.errors import StageFailed, StageTimedOut, Throttled, Unavailable, Unreachable

Items = TypeVar("Items")

State = Literal["closed", "open", "half-open"]

WINDOW_SECONDS = 60.0
"""Failures further apart than this have nothing to do with one another."""

LONGEST_SECONDS = 60.0
"""However long a provider asks to be left alone, it is tried again after this."""

TRIAL_SECONDS = 1.0
"""When to come back while one call finds out how the provider is."""

UNWELL = frozenset(kind.code for kind in (StageFailed, StageTimedOut, Throttled, Unreachable))
"""Codes that speak of a provider's health. An error with a code of its own, as ``reply-empty``, is an answer."""

GIVEN_UP = 0.95
"""Of a deadline: whoever waits stops a moment before the clock here says so."""


class CircuitBreaker:
    """Of one provider, by its *name* for operators.

    Closed, it lets all calls through. *failures* in a row open it for *seconds*, and a throttle for as long as the
    provider asks. After that it is half open: one call goes through, and what becomes of it decides.
    """

    def __init__(self, name: str, *, failures: int, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self.name = name
        self.clock = clock
        self._most = failures
        self._seconds = seconds
        self._failures = 0
        self._failed_at = 0.0
        self._until: float | None = None
        """By the clock; None when closed."""
        self._trial: Attempt | None = None

    @property
    def state(self) -> State:
        if self._until is None:
            return "closed"
        return "open" if self.clock() < self._until else "half-open"

    def check(self, stage: str) -> None:
        """Return if a call may go through.

        Raises:
            Unavailable: with the seconds until it is worth trying again.
        """
        if self._until is None:
            return
        seconds = self._until - self.clock()
        if seconds > 0 or self._trial is not None:
            detail = "It failed again and again, or asked to be left alone: it is not asked just now."
            raise Unavailable(detail, stage=stage, retry_after=max(ceil(seconds), TRIAL_SECONDS))

    def begin(self, stage: str, running: Callable[[], float] = monotonic) -> "Attempt":
        """A call that goes through now, and must be ended; raises as `check`. *running* is the clock of its waits."""
        self.check(stage)
        attempt = Attempt(self, running)
        if self._until is not None:
            self._trial = attempt
        return attempt

    def release(self, attempt: "Attempt") -> None:
        """Nothing was learnt from *attempt*: if it was the trial, another may be."""
        if self._trial is attempt:
            self._trial = None

    def well(self, attempt: "Attempt") -> None:
        """The provider did what *attempt* asked."""
        if self._until is None:
            self._failures = 0
        elif self._trial is attempt:
            self._trial = self._until = None
            self._failures = 0
            telemetry.event("breaker-closed", {"provider": self.name})

    def unwell(self, attempt: "Attempt", pause_seconds: float | None) -> None:
        """It did not, and may have said how long it wants to be left alone."""
        now, was_trial = self.clock(), self._trial is attempt
        self.release(attempt)
        self._failures = 1 + (self._failures if now - self._failed_at < WINDOW_SECONDS else 0)
        self._failed_at = now
        if pause_seconds:
            self._open(now + min(pause_seconds, LONGEST_SECONDS))
        elif was_trial or (self._until is None and self._failures >= self._most):
            self._open(now + self._seconds)

    def _open(self, until: float) -> None:
        if self._until is None or self._until < until:
            self._until = until
            seconds = round(until - self.clock(), 1)
            telemetry.event("breaker-open", {"provider": self.name, "seconds": seconds, "failures": self._failures})


class Attempt:
    """One call of a provider, as its breaker sees it.

    Waits are measured by *running*. With `timeouts.running_time` it stands still while our own event loop is blocked:
    that is no failure of the provider.
    """

    def __init__(self, breaker: CircuitBreaker, running: Callable[[], float] = monotonic) -> None:
        self._breaker = breaker
        self._running = running
        self._waiting_since: float | None = None
        self._gave = False

    def waits(self) -> None:
        """The provider is waited for from now on."""
        self._waiting_since = self._running()

    def waiting(self, items: Items) -> Items:
        """Likewise, for *items*."""
        self.waits()
        return items

    def gave(self) -> None:
        """It has given something. A trial has succeeded with that; else more may come, or fail to."""
        if self._waiting_since is not None:
            self._waiting_since = self._running()
        if not self._gave:
            self._gave = True
            if self._breaker.state == "half-open":
                self._breaker.well(self)

    def end(self, error: BaseException | None, patience_seconds: float) -> None:
        """It is over, with *error* if there was one.

        To be cut off after *patience_seconds* of waiting is a failure. Before that somebody left, which says nothing;
        nor does an error that is not about the provider's health.
        """
        if isinstance(error, Throttled):
            facts = {"provider": self._breaker.name, "seconds": error.retry_after}
            telemetry.event("provider-throttled", facts)
        if isinstance(error, StageFailed) and error.retryable and error.code in UNWELL:
            self._breaker.unwell(self, error.retry_after if isinstance(error, Throttled) else None)
        elif isinstance(error, asyncio.CancelledError) and self._waited() >= patience_seconds * GIVEN_UP:
            self._breaker.unwell(self, None)
        elif error is None or self._gave:
            self._breaker.well(self)
        else:
            self._breaker.release(self)

    def _waited(self) -> float:
        return 0.0 if self._waiting_since is None else self._running() - self._waiting_since
