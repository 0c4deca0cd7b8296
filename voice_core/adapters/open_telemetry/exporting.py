"""The exporters there are. Importing one of them takes a third of a second."""

import logging
import os
from collections.abc import Sequence

from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import DropAggregation, View
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from voice_core.adapters.open_telemetry.metrics import REQUESTS
from voice_core.adapters.open_telemetry.providers import Providers

ABOUT_ITSELF = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED",
)
"""Switch off what the exporter tells of itself, and what it would fetch from Microsoft."""


def to_azure_monitor(service: str, connection_string: str) -> Providers:
    """To Application Insights; as whom, the exporter reads from ``APPLICATIONINSIGHTS_AUTHENTICATION_STRING``.

    What cannot be sent is lost: nothing is left on the instance's disk.
    """
    for switch in ABOUT_ITSELF:
        os.environ.setdefault(switch, "true")
    from azure.monitor.opentelemetry.exporter import (
        AzureMonitorLogExporter,
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )

    # azure-core logs the headers of each request at INFO.
    logging.getLogger("azure").setLevel(logging.WARNING)
    options = {"connection_string": connection_string, "disable_offline_storage": True}
    spans, metrics = AzureMonitorTraceExporter(**options), AzureMonitorMetricExporter(**options)
    # The Functions host measures requests already.
    views = [View(instrument_name=REQUESTS, aggregation=DropAggregation())]
    return _batched(service, spans, metrics, AzureMonitorLogExporter(**options), views)


def to_otlp(service: str) -> Providers:
    """By OTLP over HTTP, to where ``OTEL_EXPORTER_OTLP_ENDPOINT`` and its like say."""
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return _batched(service, OTLPSpanExporter(), OTLPMetricExporter(), OTLPLogExporter())


def _batched(
    service: str,
    spans: SpanExporter,
    metrics: MetricExporter,
    events: LogRecordExporter,
    views: Sequence[View] = (),
) -> Providers:
    """Sent from threads: spans and events every five seconds, metrics every minute, unless ``OTEL_*`` say otherwise."""
    reader = PeriodicExportingMetricReader(metrics)
    return Providers(service, BatchSpanProcessor(spans), reader, BatchLogRecordProcessor(events), views)
