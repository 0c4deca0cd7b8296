"""Who is told what is seen. Nobody, unless `wiring` says so."""

from typing import TYPE_CHECKING, Protocol

from voice_core.telemetry.signals import Call, Signal

if TYPE_CHECKING:
    from voice_core.telemetry.turns import TurnSignal


class Watcher(Protocol):
    """Is told what is seen, at once and by whoever sees it: what takes longer than a moment belongs elsewhere."""

    def turn(self, turn: "TurnSignal") -> None:
        """A turn has ended."""

    def call(self, call: Call) -> None:
        """A provider or a store has answered, in a turn or not."""

    def event(self, event: Signal) -> None:
        """Something happened."""


_watchers: list[Watcher] = []


def watch(watcher: Watcher) -> None:
    """Have *watcher* told from now on."""
    _watchers.append(watcher)


def unwatch(watcher: Watcher) -> None:
    """Have *watcher* told no more."""
    _watchers.remove(watcher)


def tell_turn(turn: "TurnSignal") -> None:
    for watcher in _watchers:
        watcher.turn(turn)


def tell_call(call: Call) -> None:
    for watcher in _watchers:
        watcher.call(call)


def tell_event(event: Signal) -> None:
    for watcher in _watchers:
        watcher.event(event)
