"""Telemetry for operators: one request id in every log line of a request, each turn with its stages, and other events.

It never holds what users say, nor keys or tokens. Registered watchers receive it; `wiring` registers them.
"""

from voice_core.telemetry.events import event, log, reason, unexpected
from voice_core.telemetry.signals import Call, EventSignal, Fact, Facts, Span
from voice_core.telemetry.tracing import (
    begin_request,
    begin_turn,
    branch,
    call,
    called,
    outgoing,
    request_id,
    request_served,
)
from voice_core.telemetry.watchers import Watcher, report_turn, unwatch, watch

__all__ = [
    "Call",
    "EventSignal",
    "Fact",
    "Facts",
    "Span",
    "Watcher",
    "begin_request",
    "begin_turn",
    "branch",
    "call",
    "called",
    "event",
    "log",
    "outgoing",
    "reason",
    "report_turn",
    "request_id",
    "request_served",
    "unexpected",
    "unwatch",
    "watch",
]
