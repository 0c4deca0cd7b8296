"""Records in memory the telemetry that would be exported."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from voice_core import telemetry
from voice_core.adapters.open_telemetry.providers import Providers
from voice_core.adapters.open_telemetry.sampling import Sampling
from voice_core.adapters.open_telemetry.watcher import OpenTelemetryWatcher

KEEP_ALL = Sampling(1.0, 5.0)
SALT = "a salt"


@dataclass
class Recording:
    """Spans, metrics and events, recorded by the SDK's own exporters."""

    _spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    _metrics: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    _events: InMemoryLogRecordExporter = field(default_factory=InMemoryLogRecordExporter)

    def providers(self) -> Providers:
        return Providers(
            "voice", SimpleSpanProcessor(self._spans), self._metrics, SimpleLogRecordProcessor(self._events)
        )

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._spans.get_finished_spans())

    def span(self, name: str) -> ReadableSpan:
        """The only span of that name."""
        (span,) = (span for span in self.spans if span.name == name)
        return span

    @property
    def events(self) -> list[ReadableLogRecord]:
        return list(self._events.get_finished_logs())

    def points(self, name: str) -> list[tuple[dict[str, object], float]]:
        """The attributes and the sum of each series of a metric."""
        data = self._metrics.get_metrics_data()
        return [
            (dict(point.attributes or {}), float(getattr(point, "sum", getattr(point, "value", 0))))
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@contextmanager
def recording(sampling: Sampling = KEEP_ALL) -> Iterator[Recording]:
    """Record the telemetry of this process within the block."""
    recorded = Recording()
    watcher = OpenTelemetryWatcher(recorded.providers(), sampling, salt=SALT)
    telemetry.watch(watcher)
    try:
        yield recorded
    finally:
        telemetry.unwatch(watcher)
        watcher.close()


def milliseconds(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e6


def ids(span: ReadableSpan) -> tuple[str, str]:
    """The ids of the trace and of the span, as in a traceparent."""
    assert span.context is not None
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"
