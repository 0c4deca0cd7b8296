"""Sampling of spans, and metrics."""

from dataclasses import replace

import pytest
from opentelemetry.semconv._incubating.attributes import db_attributes, gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import db_metrics, gen_ai_metrics, http_metrics

from emulators.script import Step
from tests.conftest import Product
from tests.functions.turns import recording as wav
from tests.functions.turns import sse
from tests.telemetry.phone import WAV
from tests.telemetry.recording import Recording, recording
from voice_core import telemetry
from voice_core.adapters.open_telemetry.metrics import COUNTED, EVENTS, MEASURED
from voice_core.adapters.open_telemetry.sampling import Sampling
from voice_core.telemetry.turns import TurnSignal

TURN = TurnSignal(
    turn_id="a",
    user_id="anna",
    span=telemetry.Span("0" * 16 + "8" * 16, "1" * 16),
    outcome="done",
    degraded=(),
    delivery="whole",
    spoken=True,
    transcript_characters=5,
    heard_seconds=1.0,
    speech_bytes=48_000,
    began=1.0,
    ended=2.0,
    timings={"total": 900},
    stages=(),
    calls=(),
)
"""A turn whose trace id is about in the middle of all trace ids."""


@pytest.mark.parametrize(
    ("turn", "rate"),
    [
        (TURN, 0),
        (replace(TURN, outcome="failed"), 100),
        (replace(TURN, degraded=("speech",)), 100),
        (replace(TURN, timings={"total": 5001}), 100),
        (replace(TURN, timings={"total": 5000}), 0),
        (replace(TURN, outcome="refused"), 0),
        (replace(TURN, span=telemetry.Span("f" * 16 + "1" * 16, "1" * 16)), 10),
        (replace(TURN, outcome="failed", span=telemetry.Span("f" * 16 + "1" * 16, "1" * 16)), 100),
    ],
)
def test_failed_degraded_and_slow_turns_are_always_sampled(turn: TurnSignal, rate: float) -> None:
    """All failed, degraded and slow turns are sampled, and a share of the others, by the trace's id."""
    assert Sampling(ratio=0.1, slow_seconds=5.0).rate(turn) == rate


async def test_a_turn_without_spans_is_still_counted(product: Product) -> None:
    """A turn that is not sampled has no spans, but its event and its measurements."""
    with recording(Sampling(ratio=0.0, slow_seconds=60.0)) as recorded:
        async with product.post("/process", data=wav(), headers=WAV) as response:
            assert response.status == 200

    assert recorded.spans == []
    assert [event.log_record.body for event in recorded.events] == ["VoiceProcessing"]
    assert recorded.points("voice.turn.duration")


async def test_the_assistant_is_measured_as_the_conventions_say(product: Product, recorded: Recording) -> None:
    """Model, tokens and duration have the names of OpenTelemetry's conventions."""
    async with product.post("/process", json={"text": "hello"}) as response:
        assert response.status == 200
    chat = recorded.span("chat offline")
    ((attributes, seconds),) = recorded.points(gen_ai_metrics.GEN_AI_CLIENT_OPERATION_DURATION)
    tokens = {
        attributes[gen_ai_attributes.GEN_AI_TOKEN_TYPE]: count
        for attributes, count in recorded.points("gen_ai.client.token.usage")
    }

    assert attributes == {
        gen_ai_attributes.GEN_AI_OPERATION_NAME: "chat",
        gen_ai_attributes.GEN_AI_PROVIDER_NAME: "azure.ai.openai",
        gen_ai_attributes.GEN_AI_REQUEST_MODEL: "offline",
        gen_ai_attributes.GEN_AI_RESPONSE_MODEL: "offline",
    }
    assert seconds > 0
    facts = chat.attributes or {}
    assert min(tokens.values()) > 0
    assert tokens == {
        "input": facts[gen_ai_attributes.GEN_AI_USAGE_INPUT_TOKENS],
        "output": facts[gen_ai_attributes.GEN_AI_USAGE_OUTPUT_TOKENS],
    }


async def test_stores_and_requests_are_measured_as_the_conventions_say(product: Product, recorded: Recording) -> None:
    """Calls of Cosmos DB are measured by system and operation, our own requests by method and status."""
    async with product.post("/process", json={"text": "hello"}) as response:
        assert response.status == 200
    async with product.post("/process", json={}) as response:
        assert response.status == 400

    ((attributes, _),) = recorded.points(db_metrics.DB_CLIENT_OPERATION_DURATION)
    assert attributes[db_attributes.DB_SYSTEM_NAME] == "azure.cosmosdb"
    assert attributes[db_attributes.DB_OPERATION_NAME] == "append"
    served = {
        attributes["http.response.status_code"]
        for attributes, _ in recorded.points(http_metrics.HTTP_SERVER_REQUEST_DURATION)
    }
    assert served == {200, 400}


async def test_what_is_heard_and_spoken_is_counted(product: Product, recorded: Recording) -> None:
    """Sound is counted in seconds by direction, and the time to the first sound of a reply is measured."""
    async with product.post("/process", data=wav(), headers=WAV | {"Accept": "text/event-stream"}) as response:
        done = next(event for event in await sse(response) if event["type"] == "speech.audio.done")
    seconds = {attributes["voice.direction"]: value for attributes, value in recorded.points("voice.audio")}

    assert seconds == {"heard": 1.0, "spoken": pytest.approx(done["durationMs"] / 1000, abs=0.001)}
    assert recorded.points("voice.turn.first_audio")
    stages = {attributes["voice.stage"] for attributes, _ in recorded.points("voice.stage.duration")}
    assert stages == {"stt", "assistant", "tts"}


async def test_what_goes_wrong_is_counted(product: Product, recorded: Recording) -> None:
    """A turn without speech is counted by its part, a refused request by its code; spans show the failed call."""
    product.services.speech.clear()
    product.services.speech.add("tts", Step(status=400, repeat=True))
    async with product.post("/process", json={"text": "hello"}) as response:
        assert response.status == 200
    async with product.post("/process", json={}) as response:
        assert response.status == 400

    assert recorded.points("voice.turns.degraded") == [({"voice.part": "speech"}, 1)]
    assert ({"error.type": "nothing-said"}, 1) in recorded.points("voice.requests.refused")
    failed = [span for span in recorded.spans if not span.status.is_ok]
    assert {span.name for span in failed} == {"synthesize"}


def test_every_counted_event_has_a_counter() -> None:
    """Every counter that events use is defined, and no name is both a counter and a histogram."""
    assert {counter for counter, _ in EVENTS.values()} <= set(COUNTED)
    assert not set(COUNTED) & set(MEASURED)


def test_unknown_events_are_counted_by_name(recorded: Recording) -> None:
    """An event without a counter of its own is counted by its name, without its facts."""
    telemetry.event("replayed", {"turn": "a"})
    telemetry.event("limited", {"limit": "turns"})

    assert recorded.points("voice.events") == [({"voice.event": "replayed"}, 1)]
    assert recorded.points("voice.limits.hit") == [({"voice.limit": "turns"}, 1)]
