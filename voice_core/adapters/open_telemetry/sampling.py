"""Which turns' spans are kept: decided when all is known of a turn."""

from dataclasses import dataclass

from voice_core.telemetry.turns import TurnSignal

ALL = 100.0
"""Per cent."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Keeps every turn that failed, lacks something or was slow, and *ratio* of the others."""

    ratio: float
    slow_seconds: float
    """From the end of the utterance to the end of the turn."""

    def rate(self, turn: TurnSignal) -> float:
        """Per cent of the turns like this one that are kept; 0 when this one is not.

        It goes by the trace's id, so whoever else samples by it, as OpenTelemetry does, keeps the same traces.
        """
        if turn.outcome == "failed" or turn.degraded or turn.timings.get("total", 0) > self.slow_seconds * 1000:
            return ALL
        chance = int(turn.span.trace_id[16:], 16) / 2**64
        return self.ratio * ALL if chance < self.ratio else 0.0
