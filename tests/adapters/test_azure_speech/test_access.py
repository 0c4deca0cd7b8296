"""How the service is reached."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

import pytest

from emulators.script import Script, Step
from tests.adapters.test_azure_speech.conftest import KEY, Door, MakeStt, MakeTts
from tests.sound import voice_like
from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.domain.errors import Misconfigured, StageTimedOut
from voice_core.domain.speech import Hints

SOUND = voice_like(0.2)


async def once(pcm: bytes) -> AsyncIterator[bytes]:
    yield pcm


def tokens() -> Callable[[], Awaitable[str]]:
    """A new token each time: t1, t2, …"""
    numbers = count(1)

    async def token() -> str:
        return f"t{next(numbers)}"

    return token


@pytest.fixture(name="keys")
def _keys() -> frozenset[str]:
    return frozenset({KEY, *(f"t{n}" for n in range(1, 100))})


async def test_a_key_is_shown(make_tts: MakeTts, door: Door) -> None:
    """A key goes where the service looks for keys."""
    tts = make_tts()
    await tts.check()
    assert [chunk async for chunk in tts.synthesize("Hello.", None)]
    assert door.entered[0]["Ocp-Apim-Subscription-Key"] == KEY


async def test_a_token_is_shown(url: str, script: Script, make_stt: MakeStt, make_tts: MakeTts, door: Door) -> None:
    """Without a key every connection shows a token that was asked for just then."""
    access = SpeechAccess(f"{url}/", token=tokens())
    stt, tts = make_stt(access), make_tts(access)
    await stt.check()
    script.add("stt", Step(text="hello", repeat=True))
    assert [result async for result in stt.transcribe(once(SOUND), Hints())]
    assert [chunk async for chunk in tts.synthesize("Hello.", None)]
    shown = [entered.get("Authorization", "") for entered in door.entered]
    assert all(token.startswith("Bearer t") for token in shown)
    assert len(set(shown)) == len(shown) >= 2
    assert not any("Ocp-Apim-Subscription-Key" in entered for entered in door.entered)
    await stt.close()
    await tts.close()
    await access.close()


async def test_the_token_is_of_the_request(url: str, make_tts: MakeTts, door: Door) -> None:
    """A connection shows the token of when it is opened, not of when what opens it was made."""
    access = SpeechAccess(url, token=tokens())
    tts = make_tts(access)
    assert [chunk async for chunk in tts.synthesize("Hello.", None)]
    assert door.entered[0]["Authorization"] == "Bearer t2"
    await tts.close()
    await access.close()


async def test_no_token_to_be_had(url: str, make_stt: MakeStt, make_tts: MakeTts) -> None:
    """What goes wrong with tokens is told as the stage's that needed one."""

    async def none() -> str:
        raise StageTimedOut("The identity service did not answer in time.")

    access = SpeechAccess(url, token=none)
    with pytest.raises(StageTimedOut) as failure:
        _ = [result async for result in make_stt(access).transcribe(once(SOUND), Hints())]
    assert failure.value.stage == "stt"
    with pytest.raises(StageTimedOut) as failure:
        _ = [chunk async for chunk in make_tts(access).synthesize("Hello.", None)]
    assert failure.value.stage == "tts"
    await access.close()


@pytest.mark.parametrize("endpoint", ["", "speech.example", "ws://speech.example", "https://"])
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    """A setting that cannot be meant is told when the app is put together."""
    with pytest.raises(Misconfigured):
        SpeechAccess(endpoint, key=KEY)


def test_nothing_to_show() -> None:
    """Neither key nor token is told when the app is put together."""
    with pytest.raises(Misconfigured):
        SpeechAccess("https://name.cognitiveservices.azure.com/")
