"""A run of the product that produces all kinds of telemetry, and the workspace with that telemetry."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from emulators.script import Step
from fakes.ingestion import Ingestion
from fakes.memory_clip_stores import NAME, World
from fakes.memory_clip_stores import recording as clip_recording
from fakes.sound import voice_like
from tests.telemetry.phone import Phone, fail
from tests.telemetry.workspace import Workspace
from voice_core.usecases.clip.process_clip import process_clip

SPOKEN = 20
"""Spoken turns that succeed: the least number for alerts."""

Row = Mapping[str, Any]


async def run(phone: Phone) -> None:
    """Two users speak and one types; some requests fail, sessions end well and badly, a clip is processed."""
    for number in range(SPOKEN):
        assert await phone.say("anna" if number % 4 else "berta") == 200
    assert [await phone.type("clara"), await phone.type("clara")] == [200, 200]
    assert await phone.say("anna", seconds=0.05) == 422
    fail(phone.product, 500)
    assert [await phone.say("anna"), await phone.say("anna")] == [502, 502]
    fail(phone.product, 429)
    assert await phone.say("anna") == 503
    assert [await phone.read_aloud("anna"), await phone.read_aloud("anna")] == [200, 429]
    phone.product.services.cosmos.add("patch", Step(status=403), Step(status=403))
    assert [await phone.read_aloud("dora"), await phone.read_aloud("emil")] == [200, 200]
    await phone.call("anna")
    await phone.ring("anna")
    await phone.product.app.sessions.close()
    world = World()
    await world.open(clip_recording(voice_like(1.0)))
    await process_clip(NAME, world.worker())
    await asyncio.to_thread(phone.product.app.telemetry.close)


def fill(workspace: Workspace, phone: Phone, ingestion: Ingestion) -> None:
    """Add the telemetry of the run, its first turn a day earlier, and the records of Functions host and Front Door."""
    workspace.add("AppEvents", _first_a_day_earlier(ingestion.rows("AppEvents")))
    workspace.add("AppMetrics", ingestion.rows("AppMetrics"))
    workspace.add("AppDependencies", ingestion.rows("AppDependencies"))
    others = {"give_up_clip": "0", "take_clip": "0", "get_health": "200"}
    requests = [
        *phone.requests,
        *({"Name": name, "ResultCode": code, "DurationMs": 5.0} for name, code in others.items()),
    ]
    workspace.add("AppRequests", [request | {"ItemCount": 1} for request in requests])
    workspace.add("AzureDiagnostics", [BLOCKED])
    workspace.add("AegDeliveryFailureLogs", [{"TimeGenerated": "2026-01-01 00:00:00"}])


BLOCKED = {"Category": "FrontDoorWebApplicationFirewallLog", "ruleName_s": "perAddress", "action_s": "Block"}


def _first_a_day_earlier(rows: Iterable[Row]) -> Iterator[Row]:
    turns = sorted(rows, key=lambda row: (row["Name"] != "VoiceProcessing", row["TimeGenerated"]))
    moment = datetime.fromisoformat(turns[0]["TimeGenerated"]) - timedelta(days=1)
    yield {**turns[0], "TimeGenerated": moment.isoformat()}
    yield from turns[1:]
