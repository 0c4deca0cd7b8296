"""Which trace the work at hand belongs to."""

import re
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from time import monotonic

from voice_core.domain.errors import NotFound, VoiceError
from voice_core.telemetry.signals import Call, Fact, Facts, Span
from voice_core.telemetry.watchers import tell_call

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
"""https://www.w3.org/TR/trace-context/#traceparent-header"""


MOST_CALLS = 100


class RequestContext:
    """What is being served. All tasks that serve it have this one object, each in its own context."""

    def __init__(self, trace_id: str, caller_id: str) -> None:
        self.span = Span(trace_id, secrets.token_hex(8), caller_id)
        """Of the turn, when there is one."""
        self.calls: deque[Call] = deque(maxlen=MOST_CALLS)
        """Those that have ended; of long work the last."""


_request: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def begin_request(traceparent: str | None) -> str:
    """Name the request being served after its caller's trace, or anew; 32 hex digits."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    trace_id, caller_id = match.groups() if match else (secrets.token_hex(16), "")
    _request.set(RequestContext(trace_id, caller_id))
    return trace_id


def branch() -> None:
    """Serve something of its own from here on, as one turn of a session, in the trace of what is being served."""
    if (request := _request.get()) is not None:
        _request.set(RequestContext(request.span.trace_id, request.span.parent_id))


def request_id() -> str:
    """The id of the request being served."""
    span = current_span()
    return span.trace_id if span else ""


def current_span() -> Span | None:
    """The place of what is being served in its trace."""
    request = _request.get()
    return request.span if request else None


def begin_turn() -> RequestContext:
    """What is being served, as a turn: named anew if nobody has named it."""
    if (request := _request.get()) is not None:
        return request
    begin_request(None)
    return begin_turn()


def outgoing() -> Mapping[str, str]:
    """Headers that tell a service which trace our request belongs to; Azure's write the second into their logs."""
    span = current_span()
    return {"traceparent": span.traceparent, "x-ms-client-request-id": span.trace_id} if span else {}


@contextmanager
def call(name: str, facts: Mapping[str, Fact] | None = None) -> Iterator[Facts]:
    """See to it that the call of a provider made meanwhile is told of; what is yielded takes more facts of it."""
    request, began, told, error = _request.get(), monotonic(), dict(facts or {}), ""
    try:
        yield told
    except (GeneratorExit, NotFound):
        # Nobody waits any more, or there is none, which is an answer.
        raise
    except BaseException as failure:
        error = failure.code if isinstance(failure, VoiceError) else type(failure).__name__
        raise
    finally:
        made = Call(name, began, monotonic(), told, error)
        if request is not None:
            request.calls.append(made)
        tell_call(made)


@asynccontextmanager
async def called(name: str, facts: Mapping[str, Fact] | None = None) -> AsyncIterator[None]:
    """Likewise, as a decorator of a coroutine function."""
    with call(name, facts):
        yield


def answered(method: str, status: int, began: float) -> None:
    """Tell that a request which *began* at that moment has its answer, or the head of one that is streamed."""
    facts: Facts = {"http.request.method": method, "http.response.status_code": status}
    tell_call(Call("serve", began, monotonic(), facts))
