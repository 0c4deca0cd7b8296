"""Suspends calls to a provider that fails repeatedly, so that its outage costs milliseconds rather than deadlines."""

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
"""Failures further apart than this are not counted together."""

LONGEST_OPEN_SECONDS = 60.0
"""Longest suspension that a provider can request with `Retry-After`; it is tried again after this."""

TRIAL_SECONDS = 1.0
"""`Retry-After` while the trial call is in progress."""

FAILURE_CODES = frozenset(kind.code for kind in (StageFailed, StageTimedOut, Throttled, Unreachable))
"""Codes that indicate an unhealthy provider. An error with its own code, as ``reply-empty``, shows that it works."""

CUT_OFF_SHARE = 0.95
"""Share of the timeout from which a cancelled wait counts as timed out: the caller stops slightly before our clock."""


class CircuitBreaker:
    """The circuit breaker of one provider; *name* is the provider's, for operators.

    Closed, it lets all calls through. *failures* in a row open it for *seconds*, and a throttled call for as long as
    the provider requests. After that it is half open: one trial call goes through, and its outcome closes the breaker
    or opens it again.
    """

    def __init__(self, name: str, *, failures: int, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self.name = name
        self.clock = clock
        self._most = failures
        self._seconds = seconds
        self._failures = 0
        self._failed_at = 0.0
        self._until: float | None = None
        """When it becomes half open, by the clock; None when closed."""
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
            detail = "The service failed repeatedly or requested a pause. Try again after Retry-After."
            raise Unavailable(detail, stage=stage, retry_after=max(ceil(seconds), TRIAL_SECONDS))

    def begin(self, stage: str, running: Callable[[], float] = monotonic) -> "Attempt":
        """Begin a call, whose `Attempt.end` must be called; raises as `check`. *running* is the clock of its waits."""
        self.check(stage)
        attempt = Attempt(self, running)
        if self._until is not None:
            self._trial = attempt
        return attempt

    def release(self, attempt: "Attempt") -> None:
        """Ignore the outcome of *attempt*. If it was the trial, the next call is the trial instead."""
        if self._trial is attempt:
            self._trial = None

    def record_success(self, attempt: "Attempt") -> None:
        """Note that *attempt* succeeded."""
        if self._until is None:
            self._failures = 0
        elif self._trial is attempt:
            self._trial = self._until = None
            self._failures = 0
            telemetry.event("breaker-closed", {"provider": self.name})

    def record_failure(self, attempt: "Attempt", pause_seconds: float | None) -> None:
        """Note that *attempt* failed. *pause_seconds* is the pause that the provider requested, if it did."""
        now, was_trial = self.clock(), self._trial is attempt
        self.release(attempt)
        self._failures = 1 + (self._failures if now - self._failed_at < WINDOW_SECONDS else 0)
        self._failed_at = now
        if pause_seconds:
            self._open(now + min(pause_seconds, LONGEST_OPEN_SECONDS))
        elif was_trial or (self._until is None and self._failures >= self._most):
            self._open(now + self._seconds)

    def _open(self, until: float) -> None:
        if self._until is None or self._until < until:
            self._until = until
            seconds = round(until - self.clock(), 1)
            telemetry.event("breaker-open", {"provider": self.name, "seconds": seconds, "failures": self._failures})


class Attempt:
    """One call of a provider, and its outcome for the breaker.

    Waits are measured by *running*. The clock `timeouts.running_time` stands still while our own event loop is
    blocked, because that is no failure of the provider.
    """

    def __init__(self, breaker: CircuitBreaker, running: Callable[[], float] = monotonic) -> None:
        self._breaker = breaker
        self._running = running
        self._waiting_since: float | None = None
        self._received = False

    def start_waiting(self) -> None:
        """Note that the caller waits for the provider from now on."""
        self._waiting_since = self._running()

    def waiting(self, items: Items) -> Items:
        """Call `start_waiting` and return *items*."""
        self.start_waiting()
        return items

    def item_received(self) -> None:
        """Note that an item has arrived. A trial has succeeded with it; any other call may still fail."""
        if self._waiting_since is not None:
            self._waiting_since = self._running()
        if not self._received:
            self._received = True
            if self._breaker.state == "half-open":
                self._breaker.record_success(self)

    def end(self, error: BaseException | None, timeout_seconds: float) -> None:
        """Note the end of the call, with *error* if there was one.

        A cancellation after *timeout_seconds* of waiting is a failure. An earlier one means that the caller left, which
        shows nothing about the provider; nor does an error that is not about the provider's health.
        """
        if isinstance(error, Throttled):
            facts = {"provider": self._breaker.name, "seconds": error.retry_after}
            telemetry.event("provider-throttled", facts)
        if isinstance(error, StageFailed) and error.retryable and error.code in FAILURE_CODES:
            self._breaker.record_failure(self, error.retry_after if isinstance(error, Throttled) else None)
        elif isinstance(error, asyncio.CancelledError) and self._waited() >= timeout_seconds * CUT_OFF_SHARE:
            self._breaker.record_failure(self, None)
        elif error is None or self._received:
            self._breaker.record_success(self)
        else:
            self._breaker.release(self)

    def _waited(self) -> float:
        return 0.0 if self._waiting_since is None else self._running() - self._waiting_since
