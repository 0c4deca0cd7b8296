"""A watcher that takes long to build."""

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from voice_core.telemetry.events import unexpected
from voice_core.telemetry.signals import Call, EventSignal
from voice_core.telemetry.watchers import Watcher

if TYPE_CHECKING:
    from voice_core.telemetry.turns import TurnSignal

MAX_PENDING = 1000
"""Most signals that are buffered until the watcher is built; the oldest are dropped first."""


class ClosableWatcher(Watcher, Protocol):
    def close(self) -> None:
        """Send what has not been sent; blocks."""


class DeferredWatcher:
    """Builds the watcher by *make*, in a thread, when the first turn ends or the first event happens.

    Signals are buffered until then. So neither the start of a process nor its first turn waits for the watcher.
    """

    def __init__(self, make: Callable[[], ClosableWatcher]) -> None:
        self._make = make
        self._pending: deque[Callable[[Watcher], None]] = deque(maxlen=MAX_PENDING)
        self._lock = threading.Lock()
        self._watcher: ClosableWatcher | None = None
        self._making: threading.Thread | None = None

    def turn(self, turn: "TurnSignal") -> None:
        self._report(lambda watcher: watcher.turn(turn))
        self._begin()

    def call(self, call: Call) -> None:
        self._report(lambda watcher: watcher.call(call))

    def event(self, event: EventSignal) -> None:
        self._report(lambda watcher: watcher.event(event))
        self._begin()

    def close(self) -> None:
        """Wait for the watcher, if it is being built, and close it; blocks."""
        if self._making is not None:
            self._making.join()
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()

    def _report(self, report: Callable[[Watcher], None]) -> None:
        with self._lock:
            if (watcher := self._watcher) is None:
                self._pending.append(report)
                return
        report(watcher)

    def _begin(self) -> None:
        if self._making is None:
            self._making = threading.Thread(target=self._run, name="telemetry", daemon=True)
            self._making.start()

    def _run(self) -> None:
        try:
            watcher = self._make()
        except Exception:  # noqa: BLE001 - a failure of telemetry must not fail the product
            self._pending = deque(maxlen=0)
            unexpected("telemetry")
            return
        while report := self._next(watcher):
            report(watcher)

    def _next(self, watcher: ClosableWatcher) -> Callable[[Watcher], None] | None:
        """The next signal that *watcher* has not received. None: there is none, and it gets the next ones at once."""
        with self._lock:
            if self._pending:
                return self._pending.popleft()
            self._watcher = watcher
            return None
