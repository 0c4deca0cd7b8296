"""Tail sampling of turns: decided when the turn has ended."""

from dataclasses import dataclass

from voice_core.telemetry.turns import TurnSignal

ALL = 100.0
"""Per cent."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Samples every turn that failed, was degraded or was slow, and *ratio* of the others."""

    ratio: float
    slow_seconds: float
    """Limit for the time from the end of the utterance to the end of the turn."""

    def rate(self, turn: TurnSignal) -> float:
        """Per cent of the turns like this one that are sampled; 0 if this one is not.

        The decision depends on the trace id, so services that also sample by it, as OpenTelemetry does, choose the same
        traces.
        """
        if turn.outcome == "failed" or turn.degraded or turn.timings.get("total", 0) > self.slow_seconds * 1000:
            return ALL
        chance = int(turn.span.trace_id[16:], 16) / 2**64
        return self.ratio * ALL if chance < self.ratio else 0.0
