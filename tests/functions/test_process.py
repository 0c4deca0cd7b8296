"""/process: one turn in every form of request and response."""

import asyncio
import io
import json
from base64 import b64decode
from typing import Any

import aiohttp
import av
import pytest

from emulators.script import Step
from fakes.eventually import HANG_SECONDS
from fakes.sound import voice_like
from tests.conftest import HEARD, Product
from tests.functions.turns import RATE, base64, recording, sse, types

SPOKEN_EVENTS = {
    "turn.created",
    "transcript.text.delta",
    "transcript.text.done",
    "reply.text.delta",
    "reply.text.done",
    "speech.audio.delta",
    "speech.audio.done",
    "turn.done",
}


async def test_a_json_request_gets_a_json_turn(product: Product) -> None:
    """The response has transcription, responseText, audioData as PCM, and conversationId."""
    body = {"audioData": base64(recording()), "format": "Wav", "conversationId": None}
    async with product.post("/process", json=body) as response:
        answer = await response.json()

    assert response.status == 200, answer
    assert answer["transcription"].lower().startswith(HEARD)
    assert HEARD in answer["responseText"].lower()
    assert len(b64decode(answer["audioData"])) == answer["durationMs"] * 48
    assert answer["audioFormat"] == {
        "format": "pcm",
        "mediaType": "audio/pcm;rate=24000",
        "sampleRate": 24000,
        "channels": 1,
        "bitsPerSample": 16,
    }
    assert answer["conversationId"]
    assert answer["degraded"] == []


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title], ids=["lower", "upper", "title"])
async def test_names_are_matched_whatever_their_case(product: Product, case: Any) -> None:
    """``AudioData``, ``audiodata`` and ``AUDIODATA`` are one name."""
    body = {case("audioData"): base64(voice_like(1.0, 24_000)), case("format"): "pcm16"}
    async with product.post("/process", json=body) as response:
        assert response.status == 200, await response.text()


@pytest.mark.parametrize(
    "content_type",
    ["audio/wav", "application/octet-stream", "audio/mp4", "image/png", None, "application/x-www-form-urlencoded"],
)
async def test_a_recording_may_be_the_body(product: Product, content_type: str | None) -> None:
    """Its format is detected from the bytes, whatever the content type is."""
    headers = {"Content-Type": content_type} if content_type else {}
    skip = () if content_type else ("Content-Type",)
    async with product.post("/process", data=recording(), headers=headers, skip_auto_headers=skip) as response:
        assert response.status == 200, await response.text()
        assert (await response.json())["transcription"]


async def test_a_recording_may_come_in_a_form(product: Product) -> None:
    """A multipart form has a file and its options."""
    form = aiohttp.FormData()
    form.add_field("audio", recording(), filename="clip.m4a", content_type="audio/x-m4a")
    form.add_field("language", "de-DE")
    form.add_field("phrases", "Wetter")
    form.add_field("phrases", "Berlin")
    async with product.post("/process", data=form) as response:
        assert response.status == 200, await response.text()

    facts = next(served.facts for served in product.services.speech.served if served.operation == "stt")
    assert facts["phrases"] == ["Wetter", "Berlin"]
    assert "de-DE" in str(facts)


async def test_headerless_pcm_may_be_described_by_its_content_type(product: Product) -> None:
    """``audio/pcm;rate=…`` describes the bytes."""
    headers = {"Content-Type": "audio/pcm;rate=8000;channels=1"}
    async with product.post("/process", data=voice_like(1.0, 8000), headers=headers) as response:
        assert response.status == 200, await response.text()

    facts = next(served.facts for served in product.services.speech.served if served.operation == "stt")
    assert facts["audio_seconds"] == pytest.approx(1.0, abs=0.05)


async def test_typed_text_is_a_turn_too(product: Product) -> None:
    """A turn with ``text`` costs no recognition."""
    async with product.post("/process", json={"text": "hello there"}) as response:
        answer = await response.json()

    assert answer["transcription"] == "hello there"
    assert "hello there" in answer["responseText"].lower()
    assert not [served for served in product.services.speech.served if served.operation == "stt"]


async def test_events_come_as_server_sent_events(product: Product) -> None:
    """The turn's events arrive in order, the last of them turn.done."""
    async with product.post("/process", data=recording(), headers={"Accept": "text/event-stream"}) as response:
        events = await sse(response)

    kinds = types(events)
    assert set(kinds) <= SPOKEN_EVENTS
    assert kinds[0] == "turn.created"
    assert kinds[-1] == "turn.done"
    assert kinds.count("turn.done") == 1
    assert kinds.index("transcript.text.done") < kinds.index("reply.text.delta") < kinds.index("speech.audio.delta")
    assert [event["seq"] for event in events if event["type"] == "speech.audio.delta"] == list(
        range(kinds.count("speech.audio.delta"))
    )
    assert response.headers["X-Turn-Id"] == events[0]["turnId"] == events[-1]["turnId"]


async def test_events_come_as_lines(product: Product) -> None:
    """NDJSON has the same events, one per line."""
    async with product.post("/process", json={"text": "hi"}, headers={"Accept": "application/x-ndjson"}) as response:
        assert response.headers["content-type"] == "application/x-ndjson"
        kinds = [json.loads(line)["type"] for line in (await response.text()).splitlines()]

    assert kinds[0] == "turn.created"
    assert kinds[-1] == "turn.done"


@pytest.mark.parametrize(
    ("accept", "name"), [("audio/wav", "wav"), ("audio/mpeg", "mp3"), ("audio/ogg", "ogg")], ids=["wav", "mp3", "opus"]
)
async def test_a_response_can_be_the_speech_alone(product: Product, accept: str, name: str) -> None:
    """An audio response decodes to the reply's speech; the ids are in its headers."""
    async with product.post("/process", json={"text": "hello there"}, headers={"Accept": accept}) as response:
        assert response.status == 200
        assert response.headers["content-type"] == accept
        data = await response.read()

    assert response.headers["X-Conversation-Id"]
    assert decoded_seconds(data, name) > 1


@pytest.mark.parametrize(("audio_format", "name"), [("wav", "wav"), ("mp3", "mp3"), ("opus", "ogg")])
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"], ids=["json", "events"])
async def test_the_speech_has_the_requested_format(product: Product, audio_format: str, name: str, accept: str) -> None:
    """responseFormat applies to JSON and to events, and the pieces join to one file."""
    body = {"text": "hello there", "responseFormat": audio_format}
    async with product.post("/process", json=body, headers={"Accept": accept}) as response:
        if accept == "application/json":
            answer = await response.json()
            data, milliseconds = b64decode(answer["audioData"]), answer["durationMs"]
            assert answer["audioFormat"]["format"] == audio_format
        else:
            events = await sse(response)
            data = b"".join(b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")
            milliseconds = next(event["durationMs"] for event in events if event["type"] == "speech.audio.done")

    assert decoded_seconds(data, name) == pytest.approx(milliseconds / 1000, abs=0.15)


async def test_text_only_on_request(product: Product) -> None:
    """With ``speech: none`` the response has no speech, and none is synthesised."""
    async with product.post("/process", json={"text": "hi", "speech": "none"}) as response:
        answer = await response.json()

    assert answer["audioData"] == ""
    assert not [served for served in product.services.speech.served if served.operation == "tts"]


async def test_a_conversation_continues(product: Product) -> None:
    """The assistant gets the first turn with the second."""
    async with product.post("/process", json={"text": "my name is Ada"}) as response:
        first = await response.json()
    body = {"text": "what did I say before?", "conversationId": first["conversationId"]}
    async with product.post("/process", json=body) as response:
        second = await response.json()

    assert "my name is Ada" in second["responseText"]
    assert second["conversationId"] == first["conversationId"]


@pytest.mark.direct
async def test_interims_arrive_while_the_user_still_speaks(product: Product) -> None:
    """A WAV that is uploaded at the pace of speech is transcribed while it arrives."""
    whole, interim = recording(2.0), asyncio.Event()

    async def slowly() -> Any:
        yield whole[: len(whole) // 2]
        await asyncio.wait_for(interim.wait(), HANG_SECONDS)
        yield whole[len(whole) // 2 :]

    async with product.post("/process", data=slowly(), headers={"Accept": "text/event-stream"}) as response:
        async for line in response.content:
            if b"transcript.text.delta" in line:
                interim.set()
    assert interim.is_set()


async def test_the_same_key_stores_one_turn(product: Product) -> None:
    """A retry with the same Idempotency-Key gets the same turn of the same conversation."""
    answers = []
    for _ in range(2):
        async with product.post("/process", json={"text": "hi"}, headers={"Idempotency-Key": "k1"}) as response:
            answers.append(await response.json())

    assert answers[0]["turnId"] == answers[1]["turnId"]
    async with product.get(f"/conversations/{answers[0]['conversationId']}") as response:
        assert len((await response.json())["turns"]) == 1


async def test_the_request_id_is_the_trace_id(product: Product) -> None:
    """X-Request-Id is the trace id of the caller's traceparent, and a new one without a valid header."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    async with product.post("/process", json={"text": "hi"}, headers=headers) as response:
        assert response.headers["X-Request-Id"] == trace
    async with product.post("/process", json={}, headers={"traceparent": "rubbish"}) as response:
        problem = await response.json()
    assert len(response.headers["X-Request-Id"]) == 32
    assert problem["requestId"] == response.headers["X-Request-Id"]


async def test_a_turn_reports_its_timings(product: Product) -> None:
    """The JSON and Server-Timing have the time of each stage."""
    async with product.post("/process", data=recording()) as response:
        timings = (await response.json())["timings"]

    assert {"stt", "assistant", "tts", "firstAudio", "total"} <= set(timings)
    assert "stt;dur=" in response.headers["Server-Timing"]


async def test_speech_that_fails_leaves_the_text(product: Product) -> None:
    """While synthesis fails, the response is 200 with the reply's text, and ``degraded`` names the speech."""
    product.services.speech.clear()
    product.services.speech.add("tts", Step(status=503, repeat=True))
    async with product.post("/process", json={"text": "hi"}) as response:
        answer = await response.json()

    assert response.status == 200
    assert answer["degraded"] == ["speech"]
    assert answer["responseText"]
    assert answer["audioData"] == ""


async def test_a_failed_audio_response_has_the_text(product: Product) -> None:
    """If only audio was requested and synthesis fails, the error contains the reply's text."""
    product.services.speech.clear()
    product.services.speech.add("tts", Step(status=503, repeat=True))
    async with product.post("/process", json={"text": "hi"}, headers={"Accept": "audio/wav"}) as response:
        problem = await response.json()

    assert (response.status, problem["code"], problem["stage"]) == (502, "speech-failed", "tts")
    assert problem["responseText"]


async def test_a_failure_in_the_reply_is_the_last_event(product: Product) -> None:
    """Once a stream has begun, a failure is its last event: an error with the results so far."""
    product.services.openai.add("chat", Step(drop_after=3, text="one two three four five six"))
    async with product.post("/process", json={"text": "hi"}, headers={"Accept": "text/event-stream"}) as response:
        events = await sse(response)

    assert types(events)[-1] == "error"
    assert "turn.done" not in types(events)
    assert (events[-1]["stage"], events[-1]["retryable"]) == ("assistant", True)
    assert events[-1]["responseText"].startswith("one two")


def decoded_seconds(data: bytes, name: str) -> float:
    with av.open(io.BytesIO(data), "r", format=name) as container:
        return float(sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0)))


def test_the_tests_recording_is_one_second_long() -> None:
    """The tests' own recording is one second of 16 kHz WAV."""
    assert len(recording()) == 44 + 2 * RATE


async def test_a_turn_is_written_once(product: Product) -> None:
    """In every form of response, a turn costs the store one batch."""
    for accept in ("application/json", "text/event-stream", "audio/wav"):
        product.services.cosmos.clear()
        async with product.post("/process", json={"text": "hello"}, headers={"Accept": accept}) as response:
            await response.read()

        writes = [served.operation for served in product.services.cosmos.served if served.operation == "batch"]
        assert writes == ["batch"], accept
