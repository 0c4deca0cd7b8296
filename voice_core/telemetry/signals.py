"""What is seen of the product at work: calls of providers, and events; `turns` has what is seen of turns.

Moments are seconds of the monotonic clock, which asyncio's loop keeps too.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

Fact = str | int | float | bool
Facts = dict[str, Fact]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of work in a trace, by its ids (https://www.w3.org/TR/trace-context/)."""

    trace_id: str
    """32 hex digits."""
    span_id: str
    """16 hex digits."""
    parent_id: str = ""
    """Of the work that asked for this, likewise; empty: nobody told."""

    @property
    def traceparent(self) -> str:
        """The header that tells others of it. Whether it is kept is decided at its end, so it says that it is."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    def child(self, name: str) -> "Span":
        """The part of it called *name*: the same ids whenever they are asked for."""
        return Span(self.trace_id, blake2b(f"{self.span_id}/{name}".encode(), digest_size=8).hexdigest(), self.span_id)


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody was asked for something: a provider or a store by us, or we by a caller."""

    name: str
    """recognize, chat, synthesize, recall or append; or serve."""
    began: float
    ended: float
    facts: Mapping[str, Fact]
    """By the names of OpenTelemetry's semantic conventions where they exist."""
    error: str = ""
    """A code of ours or an exception's type; empty: it went well, or nobody waited for its end."""

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Something happened."""

    name: str
    facts: Mapping[str, object]
    """As they are logged."""
    trace: Span | None = None
    user_id: str = ""
    """In clear: to make a pseudonym of, and for nothing else."""
    at_ns: int = field(default_factory=time.time_ns)
    """Since 1970."""
