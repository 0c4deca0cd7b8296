"""Protection against failing providers: circuit breakers, bulkheads and fallbacks."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from emulators.openai import openai_app
from emulators.script import Script, Step
from emulators.serving import serving
from emulators.speech import speech_app
from fakes.eventually import eventually
from fakes.fault_matrix import REFUSED, TIMEOUT
from tests.faults.conftest import Make, WiredProduct
from tests.functions.turns import recording

SECONDS = 0.2
"""A stage's deadline in tests that let it expire."""
NEVER_SECONDS = 1000.0
"""A limit that is too long to expire in a test."""
TEXT = {"text": "Tell me about the weather."}


async def turn(it: WiredProduct, **request: Any) -> tuple[int, dict[str, Any]]:
    """A turn's status and document."""
    async with it.product.post("/process", **request or {"json": TEXT}) as response:
        document = await response.json(content_type=None)
        if response.status >= 400:
            document["Retry-After"] = response.headers.get("Retry-After")
        return response.status, document


async def test_a_failing_assistant_is_suspended(wired: Make) -> None:
    """After a few expired deadlines it is not called: the response comes at once, with a Retry-After."""
    it = await wired(assistant_seconds=SECONDS, breaker_failures=2, breaker_seconds=30.0)
    await it.wires["openai"].break_with(TIMEOUT)
    for _ in range(2):
        assert (await turn(it))[1]["code"] == "stage-timed-out"
    connections = it.wires["openai"].connections
    status, problem = await turn(it)

    assert (status, problem["code"], problem["stage"], problem["retryable"]) == (
        503,
        "stage-unavailable",
        "assistant",
        True,
    )
    assert 1 <= int(problem["Retry-After"]) <= 30
    assert it.wires["openai"].connections == connections


async def test_a_recovered_provider_is_called_again(wired: Make) -> None:
    """The first call after the pause detects the recovery, and the breaker closes."""
    it = await wired(breaker_failures=1, breaker_seconds=0.05)
    it.product.services.openai.add("chat", Step(status=500), Step(status=500))
    assert (await turn(it))[1]["code"] == "stage-failed"
    breaker = it.product.app.guards.breakers["assistant"]
    await eventually(lambda: breaker.state == "half-open")
    assert (await turn(it))[0] == 200
    assert breaker.state == "closed"


async def test_failing_recognition_is_refused_at_once(wired: Make) -> None:
    """Expired deadlines of the use cases count as failures for the breaker."""
    it = await wired(stt_seconds=SECONDS, breaker_failures=2)
    await it.wires["speech"].break_with(TIMEOUT)
    codes = [(await turn(it, data=recording()))[1]["code"] for _ in range(3)]
    assert codes == ["stage-timed-out", "stage-timed-out", "stage-unavailable"]


async def test_failing_synthesis_loses_only_the_speech(wired: Make) -> None:
    """The turn returns its text without speech, and after the first failure synthesis is not called."""
    it = await wired(tts_seconds=SECONDS, breaker_failures=1)
    await it.wires["speech"].break_with(TIMEOUT)
    connections = []
    for _ in range(3):
        status, document = await turn(it)
        assert (status, document["degraded"], document["audioData"]) == (200, ["speech"], "")
        connections.append(it.wires["speech"].connections)
    assert it.product.app.guards.breakers["tts"].state == "open"
    assert connections[1] == connections[2]


async def test_a_failing_store_loses_only_the_conversation(wired: Make) -> None:
    """The turn continues without its conversation, and without waiting for the store."""
    it = await wired(conversations_seconds=SECONDS, limits_seconds=SECONDS, breaker_failures=1)
    await it.wires["cosmos"].break_with(TIMEOUT)
    connections = []
    for _ in range(2):
        assert (await turn(it))[1]["degraded"] == ["conversation"]
        connections.append(it.wires["cosmos"].connections)
    assert connections[0] == connections[1]


async def test_health_reports_circuit_breakers(wired: Make) -> None:
    """deep=1 reports the breaker state of each dependency in this worker."""
    it = await wired(breaker_failures=1)
    await turn(it)
    await it.wires["openai"].break_with(REFUSED)
    await turn(it)
    async with it.product.get("/health?deep=1") as response:
        checks = (await response.json())["checks"]
    assert {name: check.get("breaker") for name, check in checks.items()} == {
        "assistant": "open",
        "stt": "closed",
        "tts": "closed",
        "conversations": "closed",
        "limits": "closed",
        "storage": "closed",
        "clips": "closed",
        "requests": "closed",
        "identity": None,
    }


async def test_concurrent_recognitions_are_bounded(wired: Make) -> None:
    """A turn that gets no slot in time is refused with a Retry-After; a later one is served."""
    it = await wired(stt_concurrent=1, provider_wait_seconds=0.05, body_stall_seconds=NEVER_SECONDS)
    script, refused = it.product.services.speech, asyncio.Event()

    async def speaking() -> AsyncGenerator[bytes]:
        yield recording()[:16_000]
        await refused.wait()
        yield recording()[16_000:]

    first = asyncio.create_task(turn(it, data=speaking()))
    await eventually(lambda: any(entry.operation == "stt" for entry in script.served))
    status, problem = await turn(it, data=recording())
    refused.set()

    assert (status, problem["code"], problem["stage"], problem["retryable"], problem["Retry-After"]) == (
        503,
        "stage-busy",
        "stt",
        True,
        "1",
    )
    assert (await first)[0] == 200
    assert (await turn(it, data=recording()))[0] == 200


async def test_a_second_assistant_replies(wired: Make) -> None:
    """While the first assistant is unavailable, the second replies, also when the first one's breaker is open."""
    script = Script()
    script.add("chat", Step(text="The second speaks.", repeat=True))
    async with serving(openai_app(script=script)) as second:
        it = await wired(openai_fallback_endpoint=f"{second}/v1/", openai_fallback_model="other", breaker_failures=1)
        assert (await turn(it))[1]["responseText"] != "The second speaks."
        await it.wires["openai"].break_with(REFUSED)
        for _ in range(2):
            status, document = await turn(it)
            assert (status, document["responseText"], document["degraded"]) == (200, "The second speaks.", [])
    assert {entry.facts["model"] for entry in script.served if entry.operation == "chat"} == {"other"}
    assert it.product.app.guards.breakers["assistant"].state == "open"


async def test_a_second_region_recognises_and_synthesises(wired: Make) -> None:
    """Recognition and synthesis continue in another region, from the beginning of the utterance."""
    script = Script()
    script.add("stt", Step(text="heard elsewhere", repeat=True))
    script.add("tts", Step(tone=True, repeat=True))
    async with serving(speech_app(script=script)) as second:
        it = await wired(speech_fallback_endpoint=second)
        await it.wires["speech"].break_with(REFUSED)
        status, document = await turn(it, data=recording(2.0))
    assert (status, document["transcription"], document["degraded"]) == (200, "heard elsewhere", [])
    assert document["audioData"]
    (served,) = [entry for entry in script.served if entry.operation == "stt"]
    assert served.facts["audio_seconds"] == pytest.approx(2.0, abs=0.05)


async def test_a_second_assistant_is_checked_too(wired: Make) -> None:
    """deep=1 reports whether the second assistant is available."""
    async with serving(openai_app()) as second:
        it = await wired(openai_fallback_endpoint=f"{second}/v1/")
        async with it.product.get("/health?deep=1") as response:
            assert (await response.json())["checks"]["assistant-fallback"]["ok"]
