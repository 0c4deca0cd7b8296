"""The last turns, for whoever develops the product."""

from collections import deque
from typing import TYPE_CHECKING

from voice_core.telemetry.signals import Call, Signal

if TYPE_CHECKING:
    from voice_core.telemetry.turns import TurnSignal


class RecentTurns:
    """A watcher that keeps the last *most* turns."""

    def __init__(self, most: int = 50) -> None:
        self.turns: deque[TurnSignal] = deque(maxlen=most)
        """The latest last."""

    def turn(self, turn: "TurnSignal") -> None:
        self.turns.append(turn)

    def call(self, call: Call) -> None:
        """Each is told again with its turn."""

    def event(self, event: Signal) -> None:
        """Only turns are kept."""
