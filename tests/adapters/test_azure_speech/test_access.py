"""Access to the service: endpoint, key and tokens."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

import pytest

from emulators.script import Script, Step
from fakes.sound import voice_like
from tests.adapters.test_azure_speech.conftest import KEY, MakeStt, MakeTts, SocketMonitor
from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.domain.errors import Misconfigured, StageTimedOut
from voice_core.domain.speech import Hints

SOUND = voice_like(0.2)


async def once(pcm: bytes) -> AsyncIterator[bytes]:
    yield pcm


def tokens() -> Callable[[], Awaitable[str]]:
    """A function that returns a new token at each call: t1, t2, …"""
    numbers = count(1)

    async def token() -> str:
        return f"t{next(numbers)}"

    return token


@pytest.fixture(name="keys")
def _keys() -> frozenset[str]:
    return frozenset({KEY, *(f"t{n}" for n in range(1, 100))})


async def test_a_key_is_sent(make_tts: MakeTts, sockets: SocketMonitor) -> None:
    """A key is sent in the header ``Ocp-Apim-Subscription-Key``."""
    tts = make_tts()
    await tts.check()
    assert [chunk async for chunk in tts.synthesize("Hello.", None)]
    assert sockets.handshakes[0]["Ocp-Apim-Subscription-Key"] == KEY


async def test_a_token_is_sent(
    url: str, script: Script, make_stt: MakeStt, make_tts: MakeTts, sockets: SocketMonitor
) -> None:
    """Without a key every connection sends a token that was requested for it."""
    access = SpeechAccess(f"{url}/", token=tokens())
    stt, tts = make_stt(access), make_tts(access)
    await stt.check()
    script.add("stt", Step(text="hello", repeat=True))
    assert [result async for result in stt.transcribe(once(SOUND), Hints())]
    assert [chunk async for chunk in tts.synthesize("Hello.", None)]
    authorizations = [headers.get("Authorization", "") for headers in sockets.handshakes]
    assert all(token.startswith("Bearer t") for token in authorizations)
    assert len(set(authorizations)) == len(authorizations) >= 2
    assert not any("Ocp-Apim-Subscription-Key" in headers for headers in sockets.handshakes)
    await stt.close()
    await tts.close()
    await access.close()


async def test_each_connection_sends_a_current_token(url: str, make_tts: MakeTts, sockets: SocketMonitor) -> None:
    """A connection sends a token that is requested when it is opened, not when its synthesizer was created."""
    access = SpeechAccess(url, token=tokens())
    tts = make_tts(access)
    assert [chunk async for chunk in tts.synthesize("Hello.", None)]
    assert sockets.handshakes[0]["Authorization"] == "Bearer t2"
    await tts.close()
    await access.close()


async def test_without_a_token_the_stage_fails(url: str, make_stt: MakeStt, make_tts: MakeTts) -> None:
    """An error while a token is fetched is reported with the stage that needed it."""

    async def none() -> str:
        raise StageTimedOut("The identity service did not respond in time.")

    access = SpeechAccess(url, token=none)
    with pytest.raises(StageTimedOut) as failure:
        _ = [result async for result in make_stt(access).transcribe(once(SOUND), Hints())]
    assert failure.value.stage == "stt"
    with pytest.raises(StageTimedOut) as failure:
        _ = [chunk async for chunk in make_tts(access).synthesize("Hello.", None)]
    assert failure.value.stage == "tts"
    await access.close()


@pytest.mark.parametrize("endpoint", ["", "speech.example", "ws://speech.example", "https://"])
def test_an_invalid_endpoint_is_refused(endpoint: str) -> None:
    """An invalid endpoint is reported when the app is set up."""
    with pytest.raises(Misconfigured):
        SpeechAccess(endpoint, key=KEY)


def test_missing_credentials_are_refused() -> None:
    """The absence of both key and token is reported when the app is set up."""
    with pytest.raises(Misconfigured):
        SpeechAccess("https://name.cognitiveservices.azure.com/")
