"""Telemetry is set up beside the first turn, not before it."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field

import pytest

from tests.conftest import ROOT
from tests.telemetry.test_signals import TURN
from voice_core import telemetry
from voice_core.telemetry.deferred_watcher import KEPT, DeferredWatcher
from voice_core.telemetry.recent import RecentTurns
from voice_core.telemetry.turns import TurnSignal


@dataclass
class Told:
    """A watcher that writes down what it is told, once it is let."""

    let: threading.Event = field(default_factory=threading.Event)
    names: list[str] = field(default_factory=list)
    closed: bool = False

    def make(self) -> "Told":
        self.let.wait()
        return self

    def turn(self, turn: TurnSignal) -> None:
        self.names.append(turn.turn_id)

    def call(self, call: telemetry.Call) -> None:
        self.names.append(call.name)

    def event(self, event: telemetry.Signal) -> None:
        self.names.append(event.name)

    def close(self) -> None:
        self.closed = True


def happened(name: str) -> telemetry.Signal:
    return telemetry.Signal(name=name, facts={})


def test_nothing_is_lost_while_the_watcher_is_made() -> None:
    """What is seen meanwhile is told in order, then what comes after at once; closing waits for all of it."""
    told = Told()
    late = DeferredWatcher(told.make)
    late.call(telemetry.Call("chat", 0.0, 1.0, {}))
    late.turn(TURN)
    late.event(happened("first"))
    assert told.names == []

    told.let.set()
    late.close()
    assert told.names == ["chat", "a", "first"]
    assert told.closed


def test_it_does_not_hoard() -> None:
    """Of what is seen before there is a watcher only the latest is kept."""
    told = Told()
    late = DeferredWatcher(told.make)
    for number in range(KEPT + 5):
        late.event(happened(str(number)))

    told.let.set()
    late.close()
    assert (len(told.names), told.names[0]) == (KEPT, "5")


def test_a_watcher_that_cannot_be_made_is_done_without(caplog: pytest.LogCaptureFixture) -> None:
    """One line tells of it, and nothing is kept for it."""

    def fail() -> Told:
        message = "".join(("a", " secret"))
        raise ValueError(message)

    late = DeferredWatcher(fail)
    late.event(happened("first"))
    late.close()
    late.event(happened("second"))

    assert "where=telemetry ValueError" in caplog.text
    assert "a secret" not in caplog.text


def test_only_the_latest_turns_are_remembered() -> None:
    """A developer's worker may run for days."""
    recent = RecentTurns(most=2)
    for _ in range(3):
        recent.turn(TURN)

    assert len(recent.turns) == 2


def test_without_a_setting_nothing_of_opentelemetry_is_loaded() -> None:
    """Neither SDK nor exporter is imported by a turn that nobody watches."""
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
