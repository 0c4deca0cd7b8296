"""Telemetry is set up concurrently with the first turn, not before it."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field

import pytest

from tests.conftest import ROOT
from tests.telemetry.test_signals import TURN
from voice_core import telemetry
from voice_core.telemetry.deferred_watcher import MAX_PENDING, DeferredWatcher
from voice_core.telemetry.recent import RecentTurns
from voice_core.telemetry.turns import TurnSignal


@dataclass
class RecordingWatcher:
    """A watcher that records the names of signals; it is built once `let` is set."""

    let: threading.Event = field(default_factory=threading.Event)
    names: list[str] = field(default_factory=list)
    closed: bool = False

    def make(self) -> "RecordingWatcher":
        self.let.wait()
        return self

    def turn(self, turn: TurnSignal) -> None:
        self.names.append(turn.turn_id)

    def call(self, call: telemetry.Call) -> None:
        self.names.append(call.name)

    def event(self, event: telemetry.EventSignal) -> None:
        self.names.append(event.name)

    def close(self) -> None:
        self.closed = True


def happened(name: str) -> telemetry.EventSignal:
    return telemetry.EventSignal(name=name, facts={})


def test_nothing_is_lost_while_the_watcher_is_made() -> None:
    """Buffered signals are reported in order, later ones at once; closing waits for all of them."""
    watcher = RecordingWatcher()
    deferred = DeferredWatcher(watcher.make)
    deferred.call(telemetry.Call("chat", 0.0, 1.0, {}))
    deferred.turn(TURN)
    deferred.event(happened("first"))
    assert watcher.names == []

    watcher.let.set()
    deferred.close()
    assert watcher.names == ["chat", "a", "first"]
    assert watcher.closed


def test_only_the_latest_signals_are_buffered() -> None:
    """Only the latest signals are buffered until the watcher is built."""
    watcher = RecordingWatcher()
    deferred = DeferredWatcher(watcher.make)
    for number in range(MAX_PENDING + 5):
        deferred.event(happened(str(number)))

    watcher.let.set()
    deferred.close()
    assert (len(watcher.names), watcher.names[0]) == (MAX_PENDING, "5")


def test_a_watcher_that_cannot_be_built_costs_no_turn(caplog: pytest.LogCaptureFixture) -> None:
    """If the watcher cannot be built, the log has one line, and no signals are buffered."""

    def fail() -> RecordingWatcher:
        message = "".join(("a", " secret"))
        raise ValueError(message)

    deferred = DeferredWatcher(fail)
    deferred.event(happened("first"))
    deferred.close()
    deferred.event(happened("second"))

    assert "where=telemetry ValueError" in caplog.text
    assert "a secret" not in caplog.text


def test_only_the_latest_turns_are_remembered() -> None:
    """The number of stored turns is limited, since a developer's worker may run for days."""
    recent = RecentTurns(most=2)
    for _ in range(3):
        recent.turn(TURN)

    assert len(recent.turns) == 2


def test_without_a_setting_nothing_of_opentelemetry_is_loaded() -> None:
    """Without a collector a turn imports neither SDK nor exporter."""
    program = """
import asyncio, json, sys
from voice_core import wiring
from voice_core.settings import Settings
app = wiring.App(Settings(speech_endpoint="http://a", speech_key="k", openai_endpoint="http://a", openai_key="k",
                          cosmos_endpoint="http://a", cosmos_key="aw=="))
asyncio.run(app.load())
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    loaded = json.loads(done.stdout)

    assert not [name for name in loaded if name.startswith(("opentelemetry.sdk", "azure.monitor"))]
