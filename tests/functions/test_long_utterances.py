"""Utterances of the greatest length, sent at once to a slow service."""

import io

import pytest

from emulators.script import Step
from fakes.sound import voice_like
from tests.conftest import ProductWith
from tests.functions.turns import RATE, sse
from voice_core.audio import wav

SECONDS = 60
WORDS = " ".join(str(number) for number in range(3 * SECONDS))
"""As many words as a person says in that time."""

SLOW = Step(text=WORDS, hear_seconds=0.01)
"""Takes 6 s for the complete recording, and sends an interim transcript every few hundredths of a second."""

STT_SECONDS = 3.0
"""Much longer than any pause between two messages of the service, and half the time of the complete recording."""


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_recording_of_a_minute_is_transcribed(product_with: ProductWith, accept: str) -> None:
    """The timeout of recognition limits the pause between two messages of the service, not the total time."""
    product = await product_with(stt_seconds=STT_SECONDS)
    product.services.speech.clear()
    product.services.speech.add("stt", SLOW)
    product.services.speech.add("tts", Step(tone=True, repeat=True))
    minute = io.BytesIO(wav.whole(voice_like() * SECONDS, RATE))

    async with product.post("/process", data=minute, headers={"Accept": accept}) as response:
        if accept == "application/json":
            answer = await response.json()
            assert (response.status, answer["transcription"], answer["degraded"]) == (200, WORDS, [])
        else:
            (done,) = [event for event in await sse(response) if event["type"] == "transcript.text.done"]
            assert (done["text"], done["durationMs"]) == (WORDS, SECONDS * 1000)


async def test_a_service_that_stops_responding_times_out(product_with: ProductWith) -> None:
    """The timeout also holds in the middle of a long utterance."""
    product = await product_with(stt_seconds=0.5)
    product.services.speech.clear()
    product.services.speech.add("stt", Step(text=WORDS, hear_seconds=1000.0))

    async with product.post("/transcribe", data=io.BytesIO(wav.whole(voice_like() * SECONDS, RATE))) as response:
        problem = await response.json()

    assert (response.status, problem["code"], problem["stage"]) == (504, "stage-timed-out", "stt")
