"""The trace that the current work belongs to."""

import re
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from time import monotonic

from voice_core.domain.errors import NotFound, VoiceError
from voice_core.telemetry.signals import Call, Fact, Facts, Span
from voice_core.telemetry.watchers import report_call

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
"""https://www.w3.org/TR/trace-context/#traceparent-header"""

MOST_CALLS = 100
"""Calls that a request remembers, the latest ones."""


class RequestContext:
    """The request being served. All tasks that serve it share this one object, each in its own context."""

    def __init__(self, trace_id: str, caller_id: str) -> None:
        self.span = Span(trace_id, secrets.token_hex(8), caller_id)
        """The span of the turn, when there is one."""
        self.calls: deque[Call] = deque(maxlen=MOST_CALLS)
        """The calls that have ended; the last `MOST_CALLS`."""


_request: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def begin_request(traceparent: str | None) -> str:
    """Begin to serve a request, in its client's trace or in a new one; returns the trace id, 32 hex digits."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    trace_id, caller_id = match.groups() if match else (secrets.token_hex(16), "")
    _request.set(RequestContext(trace_id, caller_id))
    return trace_id


def branch() -> None:
    """Begin separate work in the trace of the request being served, such as one turn of a session."""
    if (request := _request.get()) is not None:
        _request.set(RequestContext(request.span.trace_id, request.span.parent_id))


def request_id() -> str:
    """The id of the request being served; empty when there is none."""
    span = current_span()
    return span.trace_id if span else ""


def current_span() -> Span | None:
    """The span of the request being served."""
    request = _request.get()
    return request.span if request else None


def begin_turn() -> RequestContext:
    """The request being served, for a turn; a new one, in a new trace, when there is none."""
    if (request := _request.get()) is not None:
        return request
    begin_request(None)
    return begin_turn()


def outgoing() -> Mapping[str, str]:
    """Headers that name the trace to a service that we call; services of Azure log the second."""
    span = current_span()
    return {"traceparent": span.traceparent, "x-ms-client-request-id": span.trace_id} if span else {}


@contextmanager
def call(name: str, facts: Mapping[str, Fact] | None = None) -> Iterator[Facts]:
    """Report the call of a provider that is made in the block. Facts can be added to the yielded dictionary."""
    request, began, recorded, error = _request.get(), monotonic(), dict(facts or {}), ""
    try:
        yield recorded
    except (GeneratorExit, NotFound):
        # The caller stopped waiting; or the item does not exist, which is a result and not a failure.
        raise
    except BaseException as failure:
        error = failure.code if isinstance(failure, VoiceError) else type(failure).__name__
        raise
    finally:
        made = Call(name, began, monotonic(), recorded, error)
        if request is not None:
            request.calls.append(made)
        report_call(made)


@asynccontextmanager
async def called(name: str, facts: Mapping[str, Fact] | None = None) -> AsyncIterator[None]:
    """The same as `call`, as a decorator of a coroutine function."""
    with call(name, facts):
        yield


def request_served(method: str, status: int, began: float) -> None:
    """Report that a request, received at *began*, has its response, or the head of a response that is streamed."""
    facts: Facts = {"http.request.method": method, "http.response.status_code": status}
    report_call(Call("serve", began, monotonic(), facts))
