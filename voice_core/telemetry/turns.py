"""What is seen of a turn. Loaded with what takes turns, not with the function app."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from voice_core.telemetry.signals import Call, Span

TURN = "turn"
UTTERANCE = "utterance"
"""While it arrives: before the stages begin."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a turn, as Server-Timing has it."""

    name: str
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True, slots=True)
class Part:
    """What takes time in a turn."""

    span: Span
    name: str
    began: float
    ended: float
    error: str = ""
    call: Call | None = None
    """None: a part of our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSignal:
    """A turn that has ended."""

    turn_id: str
    user_id: str
    """As in `Seen`."""
    span: Span
    outcome: str
    """done; failed: for reasons of ours or a provider's; refused: for the caller's own; left: by the caller."""
    code: str = ""
    """Of the error that ended it."""
    failed_stage: str = ""
    """Where that came from."""
    degraded: Sequence[str]
    delivery: str
    spoken: bool
    """The user spoke, and did not type."""
    transcript_characters: int
    heard_seconds: float
    """Of the utterance."""
    speech_bytes: int
    """Of the reply's speech: mono 16-bit PCM at 24 kHz."""
    began: float
    ended: float
    timings: Mapping[str, int]
    """Milliseconds, as Server-Timing has them."""
    stages: Sequence[Stage]
    calls: Sequence[Call]
    clock_ns: int = field(default_factory=lambda: time.time_ns() - time.monotonic_ns())
    """Where the monotonic clock's zero is since 1970."""

    def wall_ns(self, moment: float) -> int:
        """A *moment* in nanoseconds since 1970."""
        return self.clock_ns + round(moment * 1e9)

    def parts(self) -> Iterator[Part]:
        """All that took time: first the turn itself, then what of it follows one another, then the calls."""
        yield Part(self.span, TURN, self.began, self.ended, self.code if self.outcome == "failed" else "")
        if self.spoken and self.stages:
            yield Part(self.span.child(UTTERANCE), UTTERANCE, self.began, self.stages[0].began)
        for stage in self.stages:
            yield Part(self.span.child(stage.name), stage.name, stage.began, stage.ended)
        for number, call in enumerate(self.calls):
            span = self.span.child(f"{call.name} {number}")
            yield Part(span, call.name, call.began, call.ended, call.error, call)
