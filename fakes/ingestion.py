"""A stand-in for the ingestion of Application Insights: stores exported telemetry, as rows of Log Analytics."""

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from emulators.serving import serving

KEY = "11111111-2222-3333-4444-555555555555"

TABLES = {"EventData": "AppEvents", "RemoteDependencyData": "AppDependencies", "MetricData": "AppMetrics"}
"""Tables of Log Analytics, by the kind of an envelope."""

Row = dict[str, Any]


@dataclass
class Ingestion:
    """The telemetry that has arrived."""

    url: str = ""
    envelopes: list[Row] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """Bodies of requests, decompressed."""

    @property
    def connection_string(self) -> str:
        return f"InstrumentationKey={KEY};IngestionEndpoint={self.url}/;LiveEndpoint={self.url}/"

    def rows(self, table: str) -> list[Row]:
        """The telemetry that has arrived, as rows of *table*."""
        arrived = ((TABLES[envelope["data"]["baseType"]], envelope) for envelope in self.envelopes)
        return [row(envelope) for name, envelope in arrived if name == table]

    async def track(self, request: web.Request) -> web.Response:
        """``POST /v2.1/track``: envelopes, one JSON array."""
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        arrived = json.loads(body)
        self.paths.append(request.path)
        self.bodies.append(body)
        self.envelopes += arrived
        return web.json_response({"itemsReceived": len(arrived), "itemsAccepted": len(arrived), "errors": []})


@asynccontextmanager
async def ingesting() -> AsyncIterator[Ingestion]:
    ingestion = Ingestion()
    app = web.Application()
    app.router.add_post("/{path:.*}", ingestion.track)
    async with serving(app) as ingestion.url:
        yield ingestion


def row(envelope: Row) -> Row:
    """An envelope as Log Analytics stores it.

    https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete
    """
    tags, data = envelope["tags"], envelope["data"]["baseData"]
    common = {
        "TimeGenerated": envelope["time"],
        "OperationId": tags.get("ai.operation.id", ""),
        "ParentId": tags.get("ai.operation.parentId", ""),
        "UserId": tags.get("ai.user.id", ""),
        "SessionId": tags.get("ai.session.id", ""),
        "AppRoleName": tags.get("ai.cloud.role", ""),
        "Properties": data.get("properties") or {},
        "ItemCount": round(100 / envelope.get("sampleRate", 100)),
    }
    return common | SPECIFIC[envelope["data"]["baseType"]](data)


def _event(data: Row) -> Row:
    return {"Name": data["name"]}


def _dependency(data: Row) -> Row:
    return {
        "Id": data["id"],
        "Name": data["name"],
        "DependencyType": data.get("type", ""),
        "Target": data.get("target", ""),
        "Success": data["success"],
        "ResultCode": data["resultCode"],
        "DurationMs": _milliseconds(data["duration"]),
    }


def _metric(data: Row) -> Row:
    (point,) = data["metrics"]
    count = point.get("count", 1)
    return {
        "Name": point["name"],
        "Sum": point["value"],
        "Min": point.get("min"),
        "Max": point.get("max"),
        "ItemCount": count,
    }


SPECIFIC = {"EventData": _event, "RemoteDependencyData": _dependency, "MetricData": _metric}


def _milliseconds(duration: str) -> float:
    """``0.00:00:01.234`` (days, hours, minutes, seconds)."""
    days, clock = duration.split(".", 1)
    hours, minutes, seconds = clock.split(":")
    return ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60_000 + float(seconds) * 1000
