"""The signal of a turn. Loaded with the modules that take turns, not with the function app."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from voice_core.telemetry.signals import Call, Span

TURN = "turn"
UTTERANCE = "utterance"
"""The time in which the utterance arrives, before the stages begin."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a turn, as in Server-Timing."""

    name: str
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True, slots=True)
class Part:
    """A timed part of a turn: the turn itself, its utterance, a stage or a call."""

    span: Span
    name: str
    began: float
    ended: float
    error: str = ""
    call: Call | None = None
    """The call of a provider or store; None for our own work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSignal:
    """A turn that has ended."""

    turn_id: str
    user_id: str
    """In clear text, as in `EventSignal`."""
    span: Span
    outcome: str
    """``done``; ``failed``: by us or a provider; ``refused``: for a fault of the caller; ``left``: the caller left."""
    code: str = ""
    """The code of the error that ended the turn."""
    failed_stage: str = ""
    """The stage that raised that error."""
    degraded: Sequence[str]
    delivery: str
    spoken: bool
    """True: the user spoke; False: they typed."""
    transcript_characters: int
    heard_seconds: float
    """Length of the utterance."""
    speech_bytes: int
    """Bytes of the reply's speech: mono 16-bit PCM at 24 kHz."""
    began: float
    ended: float
    timings: Mapping[str, int]
    """Milliseconds, as in Server-Timing."""
    stages: Sequence[Stage]
    calls: Sequence[Call]
    clock_ns: int = field(default_factory=lambda: time.time_ns() - time.monotonic_ns())
    """The zero of the monotonic clock, in nanoseconds since 1970."""

    def wall_ns(self, moment: float) -> int:
        """A *moment* of the monotonic clock in nanoseconds since 1970."""
        return self.clock_ns + round(moment * 1e9)

    def parts(self) -> Iterator[Part]:
        """All timed parts: first the turn itself, then its consecutive parts, then the calls."""
        yield Part(self.span, TURN, self.began, self.ended, self.code if self.outcome == "failed" else "")
        if self.spoken and self.stages:
            yield Part(self.span.child(UTTERANCE), UTTERANCE, self.began, self.stages[0].began)
        for stage in self.stages:
            yield Part(self.span.child(stage.name), stage.name, stage.began, stage.ended)
        for number, call in enumerate(self.calls):
            span = self.span.child(f"{call.name} {number}")
            yield Part(span, call.name, call.began, call.ended, call.error, call)
