"""Where signals go: to Application Insights, or to whoever takes OTLP."""

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


class GivenIds(IdGenerator):
    """Gives spans the ids by which others have been told of them."""

    def __init__(self) -> None:
        self.span = Span("", "")
        """The one that is made next."""

    def generate_span_id(self) -> int:
        return int(self.span.span_id, 16)

    def generate_trace_id(self) -> int:
        return int(self.span.trace_id, 16)


class Providers:
    """OpenTelemetry's SDK with one way out for each signal; what is sampled is decided before it.

    *service* is the name that the signals are under; *views* say what is not sent of the metrics.
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
        self.ids = GivenIds()
        self._tracers = TracerProvider(ALWAYS_ON, resource, id_generator=self.ids)
        self._tracers.add_span_processor(spans)
        self._meters = MeterProvider([metrics], resource, views=views)
        self._loggers = LoggerProvider(resource)
        self._loggers.add_log_record_processor(events)
        self.tracer = self._tracers.get_tracer(SCOPE)
        self.meter = self._meters.get_meter(SCOPE)
        self.logger = self._loggers.get_logger(SCOPE)

    def flush(self) -> None:
        """Send all there is now; blocks."""
        for provider in (self._tracers, self._meters, self._loggers):
            provider.force_flush()

    def close(self) -> None:
        """Send what is left, and stop; blocks."""
        for provider in (self._tracers, self._meters, self._loggers):
            provider.shutdown()
