"""OpenTelemetry's providers of tracers, meters and loggers."""

from collections.abc import Sequence

from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.metrics.view import View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from voice_core.telemetry import Span

SCOPE = "voice"
"""The instrumentation scope of all signals."""


class PresetIds(IdGenerator):
    """Creates spans with preset ids, because the ids have already been sent to other services."""

    def __init__(self) -> None:
        self.span = Span("", "")
        """Ids of the next span."""

    def generate_span_id(self) -> int:
        return int(self.span.span_id, 16)

    def generate_trace_id(self) -> int:
        return int(self.span.trace_id, 16)


class Providers:
    """OpenTelemetry's SDK with one exporter for each signal. It samples nothing itself: `Sampling` has decided before.

    *service* is the ``service.name`` of the signals; *views* select the metrics that are not exported.
    """

    def __init__(
        self,
        service: str,
        spans: SpanProcessor,
        metrics: MetricReader,
        events: LogRecordProcessor,
        views: Sequence[View] = (),
    ) -> None:
        resource = Resource.create({"service.name": service})
        self.ids = PresetIds()
        self._tracers = TracerProvider(ALWAYS_ON, resource, id_generator=self.ids)
        self._tracers.add_span_processor(spans)
        self._meters = MeterProvider([metrics], resource, views=views)
        self._loggers = LoggerProvider(resource)
        self._loggers.add_log_record_processor(events)
        self.tracer = self._tracers.get_tracer(SCOPE)
        self.meter = self._meters.get_meter(SCOPE)
        self.logger = self._loggers.get_logger(SCOPE)

    def flush(self) -> None:
        """Export all pending signals; blocks."""
        for provider in (self._tracers, self._meters, self._loggers):
            provider.force_flush()

    def close(self) -> None:
        """Export the pending signals and shut down; blocks."""
        for provider in (self._tracers, self._meters, self._loggers):
            provider.shutdown()
