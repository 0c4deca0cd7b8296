"""/transcribe, /speak and /voices: the parts of a turn."""

import json
from base64 import b64decode

import pytest

from emulators.script import Step
from tests.conftest import HEARD, Product
from tests.functions.test_process import decoded_seconds
from tests.functions.turns import recording


async def test_an_utterance_can_be_transcribed_only(product: Product) -> None:
    """/transcribe returns the transcript and the recording's format, and does not call the assistant."""
    async with product.post("/transcribe", data=recording(), params={"language": "en-GB"}) as response:
        answer = await response.json()

    assert answer["transcription"].lower().startswith(HEARD)
    assert answer["format"] == "wav"
    assert answer["durationMs"] == pytest.approx(1000, abs=30)
    assert not product.services.openai.served


@pytest.mark.parametrize(("accept", "name"), [("*/*", "wav"), ("audio/mpeg", "mp3"), ("audio/ogg", "ogg")])
async def test_a_text_can_be_spoken_only(product: Product, accept: str, name: str) -> None:
    """/speak returns audio that can be decoded."""
    async with product.post("/speak", json={"text": "Hello. How are you?"}, headers={"Accept": accept}) as response:
        assert response.status == 200, await response.text()
        data = await response.read()

    assert decoded_seconds(data, name) > 0.5


async def test_a_spoken_text_can_be_json(product: Product) -> None:
    """/speak with Accept: application/json returns the audio and its duration."""
    body = {"text": "Hello.", "responseFormat": "wav"}
    async with product.post("/speak", json=body, headers={"Accept": "application/json"}) as response:
        answer = await response.json()

    assert decoded_seconds(b64decode(answer["audioData"]), "wav") == pytest.approx(
        answer["durationMs"] / 1000, abs=0.01
    )


async def test_speaking_that_fails_is_an_error(product: Product) -> None:
    """While synthesis fails, /speak is a retryable error with its stage, not empty audio."""
    product.services.speech.clear()
    product.services.speech.add("tts", Step(status=503, repeat=True))
    async with product.post("/speak", json={"text": "Hello."}) as response:
        problem = json.loads(await response.text())

    assert response.status in (502, 503)
    assert (problem["stage"], problem["retryable"]) == ("tts", True)


async def test_voices_are_listed_by_language(product: Product) -> None:
    """/voices lists all voices, or those of a language; the default is among them."""
    async with product.get("/voices") as response:
        everything = await response.json()
    async with product.get("/voices?language=de") as response:
        german = await response.json()

    assert everything["default"] in [voice["name"] for voice in everything["voices"]]
    assert german["voices"]
    assert all(voice["language"].startswith("de-") for voice in german["voices"])
    assert len(german["voices"]) < len(everything["voices"])


async def test_a_listed_voice_can_speak(product: Product) -> None:
    """The voice that the client chose is the one that synthesis gets."""
    async with product.get("/voices?language=de") as response:
        name = (await response.json())["voices"][0]["name"]
    async with product.post("/speak", json={"text": "Hallo.", "voice": name}) as response:
        assert response.status == 200, await response.text()

    assert [served.facts["voice"] for served in product.services.speech.served if served.operation == "tts"] == [name]
