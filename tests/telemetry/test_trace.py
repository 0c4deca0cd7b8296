"""One turn can be followed from the phone to Cosmos DB."""

from typing import Any

from emulators.script import Script, Step
from tests.conftest import Product
from tests.functions.turns import RATE, recording
from tests.telemetry.phone import WAV, timings
from tests.telemetry.recording import Recording, ids, milliseconds

TRACE, PHONE = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{PHONE}-01"}
STAGES = ("stt", "assistant", "tts")


def pace(product: Product) -> None:
    """Let the providers respond slowly, so that there is something to measure."""
    speech, openai = product.services.speech, product.services.openai
    speech.clear()
    speech.add("stt", Step(text="what is the weather like", first_seconds=0.12, repeat=True))
    speech.add("tts", Step(tone=True, first_seconds=0.08, repeat=True))
    openai.add("chat", Step(text="It is sunny. Take a hat.", first_seconds=0.15, repeat=True))


async def say(product: Product, conversation_id: str | None = None) -> tuple[dict[str, Any], dict[str, float]]:
    """Take a spoken turn: the document of its response, and the milliseconds of its Server-Timing."""
    params = {"sampleRate": RATE} | ({"conversationId": conversation_id} if conversation_id else {})
    async with product.post("/process", data=recording(), params=params, headers=HEADERS | WAV) as response:
        document = await response.json()
        assert response.status == 200, document
        assert response.headers["X-Request-Id"] == TRACE
        return document, timings(response.headers["Server-Timing"])


async def test_a_turn_is_one_trace(product: Product, recorded: Recording) -> None:
    """Turn, stages and calls of providers are spans of the caller's trace; the turn's parent is the caller's span."""
    first, _ = await say(product)
    before = len(recorded.spans)
    await say(product, first["conversationId"])
    spans = recorded.spans[before:]

    names = sorted(span.name for span in spans)
    assert [name for name in names if name != "synthesize"] == sorted(
        ["turn", "utterance", *STAGES, "recall", "recognize", "chat offline", "append"]
    )
    assert names.count("synthesize") >= 1
    assert {ids(span)[0] for span in spans} == {TRACE}
    (turn,) = (span for span in spans if span.name == "turn")
    parents = {span.name: f"{span.parent.span_id:016x}" for span in spans if span.parent is not None}
    assert parents.pop("turn") == PHONE
    assert set(parents.values()) == {ids(turn)[1]}
    assert len({ids(span)[1] for span in spans}) == len(spans)


async def test_spans_agree_with_server_timing(product: Product, recorded: Recording) -> None:
    """Each stage is as long as the header says, within 2 %; they follow one another and add up to the first audio."""
    pace(product)
    _, header_ms = await say(product)
    stages = [recorded.span(name) for name in STAGES]

    for stage in stages:
        assert abs(milliseconds(stage) - header_ms[stage.name]) <= 0.02 * header_ms[stage.name]
    assert abs(sum(map(milliseconds, stages)) - header_ms["firstAudio"]) <= 0.02 * header_ms["firstAudio"]
    assert [one.end_time for one in stages[:2]] == [next_one.start_time for next_one in stages[1:]]
    turn, utterance = recorded.span("turn"), recorded.span("utterance")
    assert abs(milliseconds(turn) - milliseconds(utterance) - header_ms["total"]) <= 0.02 * header_ms["total"]


async def test_providers_receive_the_trace(product: Product, recorded: Recording) -> None:
    """Azure OpenAI and Cosmos DB get the turn's traceparent; spans of Speech have the ids that Speech received."""
    services = product.services
    first, _ = await say(product)
    services.openai.clear()
    services.cosmos.clear()
    await say(product, first["conversationId"])

    turn = [span for span in recorded.spans if span.name == "turn"][-1]
    traceparent = f"00-{TRACE}-{ids(turn)[1]}-01"
    assert traces(services.openai, "chat") == {traceparent}
    assert {served.trace for served in services.cosmos.served} == {traceparent}
    sessions = {
        str((span.attributes or {})["voice.speech.session"]) for span in recorded.spans if span.name == "recognize"
    }
    assert sessions == {trace.split()[0] for trace in traces(services.speech, "stt")}
    spoken = {
        str((span.attributes or {})["voice.speech.request"]) for span in recorded.spans if span.name == "synthesize"
    }
    assert spoken == {trace.split()[1] for trace in traces(services.speech, "tts")}


def traces(script: Script, operation: str) -> set[str]:
    return {served.trace for served in script.served if served.operation == operation}
