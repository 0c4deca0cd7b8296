"""The last turns, for developers of the product."""

from collections import deque
from typing import TYPE_CHECKING

from voice_core.telemetry.signals import Call, EventSignal

if TYPE_CHECKING:
    from voice_core.telemetry.turns import TurnSignal


class RecentTurns:
    """A watcher that stores the last *most* turns, in memory."""

    def __init__(self, most: int = 50) -> None:
        self.turns: deque[TurnSignal] = deque(maxlen=most)
        """The latest last."""

    def turn(self, turn: "TurnSignal") -> None:
        self.turns.append(turn)

    def call(self, call: Call) -> None:
        """Does nothing: a turn has its calls."""

    def event(self, event: EventSignal) -> None:
        """Does nothing: only turns are stored."""
