"""The registered watchers, which receive all signals. There are none unless `wiring` registers some."""

from typing import TYPE_CHECKING, Protocol

from voice_core.telemetry.signals import Call, EventSignal

if TYPE_CHECKING:
    from voice_core.telemetry.turns import TurnSignal


class Watcher(Protocol):
    """Receives signals, synchronously, in the thread that reports them: its methods must return at once."""

    def turn(self, turn: "TurnSignal") -> None:
        """A turn has ended."""

    def call(self, call: Call) -> None:
        """A call of a provider or store has ended, in a turn or outside of one."""

    def event(self, event: EventSignal) -> None:
        """An event happened."""


_watchers: list[Watcher] = []


def watch(watcher: Watcher) -> None:
    """Report all signals to *watcher* from now on."""
    _watchers.append(watcher)


def unwatch(watcher: Watcher) -> None:
    """Report no more signals to *watcher*."""
    _watchers.remove(watcher)


def report_turn(turn: "TurnSignal") -> None:
    for watcher in _watchers:
        watcher.turn(turn)


def report_call(call: Call) -> None:
    for watcher in _watchers:
        watcher.call(call)


def report_event(event: EventSignal) -> None:
    for watcher in _watchers:
        watcher.event(event)
