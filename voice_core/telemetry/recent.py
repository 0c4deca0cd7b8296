"""The last turns, for whoever develops the product."""

from collections import deque
from typing import TYPE_CHECKING

from voice_core.telemetry.signals import Call, Seen

if TYPE_CHECKING:
    from voice_core.telemetry.turns import TurnSeen


class RecentTurns:
    """A watcher that keeps the last *most* turns."""

    def __init__(self, most: int = 50) -> None:
        self.turns: deque[TurnSeen] = deque(maxlen=most)
        """The latest last."""

    def turn(self, turn: "TurnSeen") -> None:
        self.turns.append(turn)

    def call(self, call: Call) -> None:
        """Each is told again with its turn."""

    def event(self, event: Seen) -> None:
        """Only turns are kept."""
