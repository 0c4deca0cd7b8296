"""A watcher that takes long to make."""

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from voice_core.telemetry.events import unexpected
from voice_core.telemetry.signals import Call, Signal
from voice_core.telemetry.watchers import Watcher

if TYPE_CHECKING:
    from voice_core.telemetry.turns import TurnSignal

KEPT = 1000
"""The latest of what is seen before there is a watcher."""


class ClosableWatcher(Watcher, Protocol):
    def close(self) -> None:
        """Send what has not been sent; blocks."""


class DeferredWatcher:
    """Has a thread *make* the watcher when the first turn has ended or the first event happened, and tells it then.

    So neither the start of a process nor its first turn waits for it.
    """

    def __init__(self, make: Callable[[], ClosableWatcher]) -> None:
        self._make = make
        self._told: deque[Callable[[Watcher], None]] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._watcher: ClosableWatcher | None = None
        self._making: threading.Thread | None = None

    def turn(self, turn: "TurnSignal") -> None:
        self._tell(lambda watcher: watcher.turn(turn))
        self._begin()

    def call(self, call: Call) -> None:
        self._tell(lambda watcher: watcher.call(call))

    def event(self, event: Signal) -> None:
        self._tell(lambda watcher: watcher.event(event))
        self._begin()

    def close(self) -> None:
        """Wait for the watcher, if it is being made, and close it; blocks."""
        if self._making is not None:
            self._making.join()
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()

    def _tell(self, telling: Callable[[Watcher], None]) -> None:
        with self._lock:
            if (watcher := self._watcher) is None:
                self._told.append(telling)
                return
        telling(watcher)

    def _begin(self) -> None:
        if self._making is None:
            self._making = threading.Thread(target=self._run, name="telemetry", daemon=True)
            self._making.start()

    def _run(self) -> None:
        try:
            watcher = self._make()
        except Exception:  # noqa: BLE001 - the product must not fail because nobody can watch it
            self._told = deque(maxlen=0)
            unexpected("telemetry")
            return
        while telling := self._next(watcher):
            telling(watcher)

    def _next(self, watcher: ClosableWatcher) -> Callable[[Watcher], None] | None:
        """What *watcher* has not been told; after the last of it, it is told at once."""
        with self._lock:
            if self._told:
                return self._told.popleft()
            self._watcher = watcher
            return None
