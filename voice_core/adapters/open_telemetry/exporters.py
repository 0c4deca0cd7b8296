"""The exporters. Importing one of them takes a third of a second, so each is imported when it is needed."""

import logging
import os
from collections.abc import Sequence

from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import DropAggregation, View
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from voice_core.adapters.open_telemetry.metrics import REQUESTS
from voice_core.adapters.open_telemetry.providers import Providers

SELF_TELEMETRY_SWITCHES = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED",
)
"""Environment variables that switch off the exporter's own telemetry, and what it would fetch from Microsoft."""


def to_azure_monitor(service: str, connection_string: str) -> Providers:
    """Export to Application Insights.

    The exporter reads its identity from ``APPLICATIONINSIGHTS_AUTHENTICATION_STRING``.
    Signals that cannot be sent are lost: nothing is stored on the instance's disk.
    """
    for switch in SELF_TELEMETRY_SWITCHES:
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
    """Export by OTLP over HTTP, to ``OTEL_EXPORTER_OTLP_ENDPOINT`` or its variants for single signals."""
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
    """Export from threads: spans and events every 5 s, metrics every minute, unless ``OTEL_*`` says otherwise."""
    reader = PeriodicExportingMetricReader(metrics)
    return Providers(service, BatchSpanProcessor(spans), reader, BatchLogRecordProcessor(events), views)
