"""The spans of a turn, created as one trace when the turn has ended."""

from collections.abc import Mapping
from threading import Lock

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from voice_core.adapters.open_telemetry.providers import PresetIds
from voice_core.adapters.open_telemetry.sampling import ALL, Sampling
from voice_core.telemetry import Call, Fact, Facts, Span
from voice_core.telemetry.turns import Part, TurnSignal

SAMPLE_RATE = "_MS.sampleRate"
"""Attribute: the sampling rate in per cent. Application Insights counts each span as 100 / rate spans."""


class Spans:
    """Creates the spans of the turns that *sampling* selects."""

    def __init__(self, tracer: Tracer, ids: PresetIds, sampling: Sampling) -> None:
        self._tracer = tracer
        self._ids = ids
        self._sampling = sampling
        self._lock = Lock()

    def turn(self, turn: TurnSignal) -> None:
        if rate := self._sampling.rate(turn):
            common: Facts = {} if rate == ALL else {SAMPLE_RATE: rate}
            with self._lock:
                for part in turn.parts():
                    self._create(turn, part, {**common, **_facts(turn, part)})

    def _create(self, turn: TurnSignal, part: Part, facts: Facts) -> None:
        self._ids.span = part.span
        name, kind = (_name(part.call), SpanKind.CLIENT) if part.call else (part.name, SpanKind.INTERNAL)
        began = turn.wall_ns(part.began)
        span = self._tracer.start_span(name, _parent(part.span), kind, facts, start_time=began)
        if part.error:
            span.set_attribute("error.type", part.error)
            span.set_status(Status(StatusCode.ERROR))
        span.end(turn.wall_ns(part.ended))


def _name(call: Call) -> str:
    """Span name: ``chat MODEL``, as the conventions for generative AI specify, else the call's name."""
    model = call.facts.get("gen_ai.request.model")
    return f"{call.name} {model}" if model else call.name


def _facts(turn: TurnSignal, part: Part) -> Mapping[str, Fact]:
    if part.call is not None:
        # Application Insights still reads the attribute by its former name in the conventions.
        provider = part.call.facts.get("gen_ai.provider.name")
        return {**part.call.facts, "gen_ai.system": provider} if provider else part.call.facts
    if part.span is not turn.span:
        return {}
    return {
        "voice.turn.id": turn.turn_id,
        "voice.outcome": turn.outcome,
        "voice.delivery": turn.delivery,
        "voice.degraded": " ".join(turn.degraded),
    }


def _parent(span: Span) -> Context:
    """Context of the parent span; an empty context if there is none."""
    if not span.parent_id:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED)
    context = SpanContext(int(span.trace_id, 16), int(span.parent_id, 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(context), Context())
