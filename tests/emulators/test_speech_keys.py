"""Keys and tokens of the Speech emulator."""

from collections.abc import AsyncIterator

import aiohttp
import azure.cognitiveservices.speech as sdk
import pytest

from emulators.script import Script, Step
from emulators.serving import serving
from emulators.speech import speech_app
from fakes.sound import voice_like
from tests.emulators.speech_client import PROPERTIES, config, recognise, speak, ssml

SOUND = voice_like(0.3)
REFUSED = sdk.CancellationErrorCode.AuthenticationFailure


@pytest.fixture(name="script")
def _script() -> Script:
    script = Script()
    script.add("stt", Step(text="hello", repeat=True))
    script.add("tts", Step(tone=True, repeat=True))
    return script


@pytest.fixture(name="url")
async def _url(script: Script) -> AsyncIterator[str]:
    """The URL of an emulator that accepts one key and one token."""
    async with serving(speech_app(script=script, keys={"the-key", "the-token"})) as url:
        yield url


def bearing(url: str, token: str) -> "sdk.SpeechConfig":
    made = sdk.SpeechConfig(endpoint=url)
    made.authorization_token = token
    made.set_properties_by_name(PROPERTIES)
    return made


async def test_the_right_key_is_accepted(url: str) -> None:
    """The right key is accepted for recognition and synthesis."""
    assert (await recognise(config(url, "the-key"), SOUND)).words == "hello"
    assert (await speak(config(url, "the-key"), ssml("hello"))).pcm


async def test_the_right_token_is_accepted(url: str) -> None:
    """The right bearer token is accepted for recognition and synthesis."""
    assert (await recognise(bearing(url, "the-token"), SOUND)).words == "hello"
    assert (await speak(bearing(url, "the-token"), ssml("hello"))).pcm


async def test_a_wrong_key_is_refused(url: str, script: Script) -> None:
    """A wrong key or token is refused with 401, and uses up no step of the script."""
    for wrong in (config(url, "another"), bearing(url, "another")):
        assert (await recognise(wrong, SOUND)).failure.code == REFUSED
        assert (await speak(wrong, ssml("hello"))).failure.error_code == REFUSED
    assert {served.outcome for served in script.served} == {"status-401"}


async def test_any_key_is_accepted_by_default() -> None:
    """Without configured keys, the emulator accepts any key, but not an empty or missing one."""
    async with serving(speech_app()) as url, aiohttp.ClientSession(url) as client:
        for headers, status in (
            ({"Ocp-Apim-Subscription-Key": "whatever"}, 200),
            ({"Authorization": "Bearer whatever"}, 200),
            ({"Authorization": "Basic whatever"}, 401),
            ({"Ocp-Apim-Subscription-Key": ""}, 401),
            ({}, 401),
        ):
            async with client.get("/tts/cognitiveservices/voices/list", headers=headers) as response:
                assert response.status == status


async def test_voices_need_the_key(url: str) -> None:
    """The list of voices requires the same key, at both of its paths."""
    async with aiohttp.ClientSession(url) as client:
        for path in ("/tts/cognitiveservices/voices/list", "/cognitiveservices/voices/list"):
            for key, status in (("the-key", 200), ("another", 401)):
                async with client.get(path, headers={"Ocp-Apim-Subscription-Key": key}) as response:
                    assert response.status == status
