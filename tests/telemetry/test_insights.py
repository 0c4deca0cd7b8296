"""The telemetry that Application Insights receives."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator

import pytest

from fakes.ingestion import Ingestion, ingesting
from tests.conftest import HEARD, Product, ProductWith
from tests.functions.turns import recording
from tests.telemetry.phone import timings
from tests.telemetry.test_trace import HEADERS, PHONE, TRACE


@pytest.fixture
async def ingestion() -> AsyncIterator[Ingestion]:
    async with ingesting() as one:
        yield one


async def take_turn(product: Product) -> tuple[int, float]:
    """Take a spoken turn and export its telemetry; the bytes of its speech, and its total time in milliseconds."""
    headers = HEADERS | {"Content-Type": "audio/wav"}
    async with product.post("/process", data=recording(), headers=headers) as response:
        assert response.status == 200
        document, stages = await response.json(), timings(response.headers["Server-Timing"])
    await asyncio.to_thread(product.app.telemetry.close)
    return len(b64decode(document["audioData"])), stages["total"]


async def test_a_turn_event_has_the_required_properties(ingestion: Ingestion, product_with: ProductWith) -> None:
    """``VoiceProcessing`` arrives at the ingestion endpoint, through the real exporter."""
    product = await product_with(applicationinsights_connection_string=ingestion.connection_string)
    audio_bytes, total_ms = await take_turn(product)
    (event,) = (row for row in ingestion.rows("AppEvents") if row["Name"] == "VoiceProcessing")
    properties = event["Properties"]

    assert properties["TranscriptionLength"] == str(len(HEARD))
    assert int(properties["AudioSizeBytes"]) == audio_bytes
    assert int(properties["ProcessingTimeMs"]) == total_ms
    assert event["OperationId"] == TRACE
    assert event["AppRoleName"] == "voice"


async def test_a_turns_spans_arrive(ingestion: Ingestion, product_with: ProductWith) -> None:
    """The spans of a turn arrive as dependencies of one operation, those of providers with their type."""
    await take_turn(await product_with(applicationinsights_connection_string=ingestion.connection_string))
    rows = {row["Name"]: row for row in ingestion.rows("AppDependencies")}

    assert {row["OperationId"] for row in rows.values()} == {TRACE}
    assert {"turn", "utterance", "stt", "assistant", "tts", "recognize", "synthesize", "append"} <= set(rows)
    assert rows["turn"]["ParentId"] == PHONE
    assert rows["chat offline"]["DependencyType"] == "GenAI | azure.ai.openai"
    assert rows["append"]["DependencyType"] == "azure.cosmosdb"
    assert rows["recognize"]["Target"] == rows["synthesize"]["Target"] == "speech"
    assert all(row["Success"] for row in rows.values())


async def test_sampled_spans_carry_their_ratio(ingestion: Ingestion, product_with: ProductWith) -> None:
    """Spans of a turn that was sampled by chance carry the sampling ratio; the event is always sent."""
    settings = {"applicationinsights_connection_string": ingestion.connection_string, "otel_traces_sampler_arg": 0.9}
    await take_turn(await product_with(**settings))
    spans, events = ingestion.rows("AppDependencies"), ingestion.rows("AppEvents")

    assert {row["sampleRate"] for row in ingestion.envelopes if "RemoteDependency" in row["name"]} == {90.0}
    assert len(spans) > 5
    assert [row["Name"] for row in events] == ["VoiceProcessing"]


async def test_the_exporter_says_nothing_of_itself(ingestion: Ingestion, product_with: ProductWith) -> None:
    """No statistics of the exporter itself arrive, nor measurements that the Functions host makes."""
    await take_turn(await product_with(applicationinsights_connection_string=ingestion.connection_string))
    names = {row["Name"] for row in ingestion.rows("AppMetrics")}

    assert "voice.turn.duration" in names
    assert not [name for name in names if not name.startswith(("voice.", "gen_ai.", "db."))]
    assert {path.strip("/") for path in ingestion.paths} == {"v2.1/track"}


async def test_a_bad_connection_string_costs_no_turn(
    product_with: ProductWith, caplog: pytest.LogCaptureFixture
) -> None:
    """With a malformed connection string there is no telemetry, but turns succeed."""
    product = await product_with(applicationinsights_connection_string="InstrumentationKey=nonsense")
    await take_turn(product)
    await take_turn(product)

    assert [record for record in caplog.records if "where=telemetry" in record.getMessage()]
