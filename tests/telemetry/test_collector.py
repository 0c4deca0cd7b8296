"""The telemetry that an OpenTelemetry collector receives."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from emulators.serving import serving
from tests.conftest import ProductWith
from tests.telemetry.test_trace import HEADERS, TRACE

KINDS: dict[str, Any] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}
"""https://opentelemetry.io/docs/specs/otlp/#otlphttp-request"""


class Collector:
    """Stores the messages that it receives."""

    def __init__(self) -> None:
        self.url = ""
        self.arrived: dict[str, list[Any]] = {path: [] for path in KINDS}

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        message = KINDS[request.path]()
        message.ParseFromString(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        self.arrived[request.path].append(message)
        return web.Response(content_type="application/x-protobuf")


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    one = Collector()
    app = web.Application()
    app.router.add_post("/{path:.*}", one.take)
    async with serving(app) as one.url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", one.url)
        yield one


async def test_a_collector_gets_all_three_signals(product_with: ProductWith, collector: Collector) -> None:
    """A collector receives trace, metrics (with those of our own requests) and event, under the service's name."""
    product = await product_with(otel_exporter_otlp_endpoint=collector.url)
    async with product.post("/process", json={"text": "hello"}, headers=HEADERS) as response:
        assert response.status == 200
    await asyncio.to_thread(product.app.telemetry.close)

    traces, metrics, events = (collector.arrived[path] for path in KINDS)
    spans = [span for one in traces for scope in one.resource_spans[0].scope_spans for span in scope.spans]
    names = {metric.name for one in metrics for metric in one.resource_metrics[0].scope_metrics[0].metrics}
    (event,) = events[0].resource_logs[0].scope_logs[0].log_records
    service = {item.key: item.value.string_value for item in traces[0].resource_spans[0].resource.attributes}
    assert {span.trace_id.hex() for span in spans} == {TRACE} == {event.trace_id.hex()}
    assert {"turn", "chat offline", "append"} <= {span.name for span in spans}
    assert {"voice.turn.duration", "http.server.request.duration"} <= names
    assert event.body.string_value == "VoiceProcessing"
    assert service["service.name"] == "voice"
