"""What an operator sees: one id in every line of a request's log, each turn with its stages, and what happened besides.

Never what was said, nor keys or tokens. Whoever watches is told; who that is, `wiring` decides.
"""

from voice_core.telemetry.events import event, log, reason, unexpected
from voice_core.telemetry.signals import Call, Fact, Facts, Signal, Span
from voice_core.telemetry.tracing import answered, begin_request, begin_turn, branch, call, called, outgoing, request_id
from voice_core.telemetry.watchers import Watcher, tell_turn, unwatch, watch

__all__ = [
    "Call",
    "Fact",
    "Facts",
    "Signal",
    "Span",
    "Watcher",
    "answered",
    "begin_request",
    "begin_turn",
    "branch",
    "call",
    "called",
    "event",
    "log",
    "outgoing",
    "reason",
    "request_id",
    "tell_turn",
    "unexpected",
    "unwatch",
    "watch",
]
