"""Scripts of delays and faults, and a log of requests: tests and benchmarks control an emulator with them."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from time import monotonic
from typing import Any

LOGGED_REQUESTS = 10_000
"""Requests in an emulator's log; the oldest are dropped, so that memory does not grow in a long run."""


@dataclass(frozen=True, slots=True)
class Step:
    """How to serve one request. All times are in seconds; the default serves it as well and as fast as it can."""

    status: int | None = None
    """Respond with this HTTP status instead of serving (a WebSocket: refuse the upgrade with it)."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of that response, such as ``Retry-After``."""
    body: str | None = None
    """Respond with this text, which may be garbage, instead of the right document."""
    hang: bool = False
    """Accept the request and never respond."""
    connect_seconds: float = 0.0
    """Wait before the connection is accepted or the request is served."""
    first_seconds: float | None = None
    """Time from the end of the input to the first result: final transcript, first token, first speech chunk."""
    hear_seconds: float = 0.0
    """Take this long to recognise each piece of an utterance; the Speech SDK sends pieces of 100 ms."""
    tokens_per_second: float | None = None
    """Pace of an assistant's reply after its first token."""
    real_time_factor: float | None = None
    """Pace of speech after its first chunk, as a multiple of real time."""
    drop_after: int | None = None
    """Cut the connection after this many results (0: before the first)."""
    text: str | None = None
    """Recognise or reply this text, whatever the input; ignored by synthesis."""
    tone: bool = False
    """Speak a tone of the text's length instead of words, which costs no synthesis."""
    finish_reason: str | None = None
    """End an assistant's reply with this reason, such as ``content_filter``."""
    repeat: bool = False
    """Serve every later request of this operation the same way."""

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Step":
        unknown = set(document) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"a step has no {', '.join(sorted(unknown))}")
        return cls(**document)


@dataclass(slots=True)
class ServedRequest:
    """One request in the log."""

    operation: str
    started: float
    """Seconds of the monotonic clock."""
    ended: float | None = None
    outcome: str = "running"
    """running, done, cancelled (the caller went away), dropped, hung, or status-NNN."""
    trace: str = ""
    """The caller's trace id: a traceparent, or the Speech SDK's connection and request ids."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Details of the request: phrases, ssml, audio_seconds, messages, …"""


class Script:
    """The steps for the next requests of each operation, and the log of past requests."""

    def __init__(self) -> None:
        self._steps: defaultdict[str, deque[Step]] = defaultdict(deque)
        self.served: deque[ServedRequest] = deque(maxlen=LOGGED_REQUESTS)

    def add(self, operation: str, *steps: Step) -> None:
        """Serve the next requests of *operation* by *steps*, one request by each."""
        self._steps[operation].extend(steps)

    def clear(self) -> None:
        """Remove all steps and the log."""
        self._steps.clear()
        self.served.clear()

    def next(self, operation: str) -> Step:
        """Take the step for a request that has just arrived."""
        step = self.upcoming(operation)
        if self._steps[operation] and not step.repeat:
            self._steps[operation].popleft()
        return step

    def upcoming(self, operation: str) -> Step:
        """The step for the next request, without taking it."""
        steps = self._steps[operation]
        return steps[0] if steps else Step()

    @contextmanager
    def serving(self, operation: str) -> Iterator[ServedRequest]:
        """Log one request from its arrival to its end. The caller sets an outcome other than done or cancelled."""
        entry = ServedRequest(operation, monotonic())
        self.served.append(entry)
        try:
            yield entry
            if entry.outcome == "running":
                entry.outcome = "done"
        except BaseException:
            if entry.outcome == "running":
                entry.outcome = "cancelled"
            raise
        finally:
            entry.ended = monotonic()

    def log(self) -> list[dict[str, Any]]:
        """The log as JSON types."""
        return [asdict(entry) for entry in self.served]
