"""The signals of telemetry: calls of providers, and events. Those of turns are in `turns`.

Times are seconds of the monotonic clock, which asyncio's loop uses too.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

Fact = str | int | float | bool
Facts = dict[str, Fact]


@dataclass(frozen=True, slots=True)
class Span:
    """The ids of a piece of work in a trace (https://www.w3.org/TR/trace-context/)."""

    trace_id: str
    """32 hex digits."""
    span_id: str
    """16 hex digits."""
    parent_id: str = ""
    """The span id of the work that requested this, 16 hex digits; empty: unknown."""

    @property
    def traceparent(self) -> str:
        """The W3C `traceparent` header. Sampling is decided when the trace ends, so the sampled flag is always set."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    def child(self, name: str) -> "Span":
        """The span of its part *name*; the ids are always the same for one name."""
        return Span(self.trace_id, blake2b(f"{self.span_id}/{name}".encode(), digest_size=8).hexdigest(), self.span_id)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a provider or a store by us, or of us by a client."""

    name: str
    """recognize, chat, synthesize, recall or append; or serve."""
    began: float
    ended: float
    facts: Mapping[str, Fact]
    """By the names of OpenTelemetry's semantic conventions where they exist."""
    error: str = ""
    """A code of ours or an exception's type; empty: the call succeeded, or its caller stopped waiting for it."""

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSignal:
    """An event."""

    name: str
    facts: Mapping[str, object]
    """The facts that are logged."""
    trace: Span | None = None
    user_id: str = ""
    """In clear text: only for deriving a pseudonym."""
    at_ns: int = field(default_factory=time.time_ns)
    """Nanoseconds since 1970."""
