"""Scripts of delays and faults of the Speech emulator, through the real SDK."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import aiohttp
import azure.cognitiveservices.speech as sdk
import pytest
from azure.cognitiveservices.speech import CancellationErrorCode as Code

from emulators.script import Script, Step
from emulators.serving import serving
from emulators.speech import speech_app
from fakes.eventually import eventually
from fakes.sound import voice_like
from tests.emulators.speech_client import Call, config, recognise, recognise_once, speak, ssml

WORDS = "what is the weather like in Lisbon"
SECOND = voice_like(1.0)
TEXT = ssml("one two three four five six seven eight nine ten")

STATUSES = [
    (400, Code.BadRequest),
    (401, Code.AuthenticationFailure),
    (403, Code.AuthenticationFailure),
    (404, Code.ServiceError),
    (429, Code.TooManyRequests),
    (500, Code.ServiceError),
    (503, Code.ServiceUnavailable),
]


@pytest.fixture(name="script")
def _script() -> Script:
    return Script()


@pytest.fixture(name="url")
async def _url(script: Script) -> AsyncIterator[str]:
    async with serving(speech_app(script=script)) as url:
        yield url


@pytest.mark.parametrize(("status", "code"), STATUSES)
async def test_recognition_is_refused(url: str, script: Script, status: int, code: Code) -> None:
    """A scripted status refuses the connection, and the SDK reports the corresponding error code."""
    script.add("stt", Step(status=status, body="the reason"))
    call = await recognise(config(url), SECOND)
    assert call.failure.code == code
    assert [served.outcome for served in script.served] == [f"status-{status}"]


@pytest.mark.parametrize(("status", "code"), STATUSES)
async def test_synthesis_is_refused(url: str, script: Script, status: int, code: Code) -> None:
    """A scripted status refuses the connection for synthesis too."""
    script.add("tts", Step(status=status, repeat=True))
    speech = await speak(config(url), TEXT)
    assert speech.failure.error_code == code
    assert {served.outcome for served in script.served} == {f"status-{status}"}


async def test_a_refusal_uses_its_step_up(url: str, script: Script) -> None:
    """A step that is not repeated applies to one attempt; the SDK's second attempt succeeds."""
    script.add("stt", Step(status=503), Step(text=WORDS))
    retrying = config(url, **{"SPEECH-Error-MaxRetryCount": "1", "SPEECH-Error-RetryDurationMS": "1"})
    assert (await recognise(retrying, SECOND)).words == WORDS.lower()
    assert [served.outcome for served in script.served] == ["status-503", "done"]


async def test_the_first_result_can_be_delayed(url: str, script: Script) -> None:
    """``first_seconds`` passes between the end of the input and the first result."""
    script.add("stt", Step(text=WORDS, first_seconds=0.4))
    call = await recognise(config(url), SECOND)
    assert call.words == WORDS.lower()
    served = script.served[0]
    assert served.ended is not None
    assert served.ended - served.started >= 0.4
    script.add("tts", Step(tone=True, first_seconds=0.4))
    assert (await speak(config(url), TEXT)).arrived[0] >= 0.4


async def test_speech_can_be_paced(url: str, script: Script) -> None:
    """``real_time_factor`` spreads chunks over time: 2.4 s of speech at eight times real time takes 0.3 s."""
    script.add("tts", Step(tone=True, real_time_factor=8.0))
    arrived = (await speak(config(url), TEXT)).arrived
    assert len(arrived) == 24
    assert arrived[-1] - arrived[0] > 23 * 0.1 / 8 - 0.1
    assert arrived[12] - arrived[0] > 12 * 0.1 / 8 - 0.1


async def test_connecting_can_be_delayed(url: str, script: Script) -> None:
    """``connect_seconds`` passes before the socket is open, and the turn is served after it."""
    script.add("stt", Step(connect_seconds=0.3, text=WORDS))
    begun = monotonic()
    assert (await recognise(config(url), SECOND)).words == WORDS.lower()
    assert monotonic() - begun >= 0.3


async def test_connections_can_be_dropped(url: str, script: Script) -> None:
    """``drop_after`` cuts the connection after so many results, which reach the client before."""
    script.add("stt", Step(text=WORDS, drop_after=2))
    call = await recognise(config(url), SECOND)
    assert call.failure.code == Code.ConnectionFailure
    assert not call.finals
    script.add("tts", Step(tone=True, real_time_factor=20.0, drop_after=3))
    speech = await speak(config(url), TEXT)
    assert speech.failure is not None
    assert len(speech.chunks) == 3
    assert [served.outcome for served in script.served] == ["dropped", "dropped"]


async def test_a_turn_can_hang(url: str, script: Script) -> None:
    """``hang`` accepts the turn and never responds; the log shows that at once, and the turn ends with the client's."""
    script.add("stt", Step(hang=True))
    call = Call(config(url))
    await call.start()
    call.write(SECOND)
    await eventually(lambda: script.served and script.served[0].outcome == "hung")
    await call.stop()
    await eventually(lambda: script.served[0].ended)
    assert not call.interims
    script.add("tts", Step(hang=True, repeat=True))
    speech = await speak(config(url, SpeechSynthesis_FirstChunkTimeoutMs="100"), TEXT)
    assert speech.failure.error_code == Code.ServiceTimeout


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"RecognitionStatus":"Error"}', Code.ServiceError),
        ('{"RecognitionStatus":"TooManyRequests"}', Code.TooManyRequests),
        ("{", Code.ServiceError),
    ],
)
async def test_the_phrase_can_be_replaced(url: str, script: Script, body: str, code: Code) -> None:
    """``body`` replaces the phrase, by one with a failing status or by garbage."""
    script.add("stt", Step(text=WORDS, body=body))
    call = await recognise(config(url), SECOND)
    assert call.failure.code == code


async def test_a_no_match_can_be_scripted(url: str, script: Script) -> None:
    """A scripted NoMatch is a result without words."""
    script.add("stt", Step(text=WORDS, body='{"RecognitionStatus":"NoMatch","Offset":0,"Duration":10000000}'))
    result = await recognise_once(config(url), SECOND)
    assert result.reason == sdk.ResultReason.NoMatch


@pytest.mark.parametrize("status", [400, 429, 500])
async def test_a_turn_is_refused_on_an_open_connection(url: str, script: Script, status: int) -> None:
    """On an open connection, a status closes it with a code that the SDK reports as the corresponding error."""
    synthesizer = sdk.SpeechSynthesizer(config(url), audio_config=None)
    connection = sdk.Connection.from_speech_synthesizer(synthesizer)
    opened = asyncio.Event()
    loop = asyncio.get_running_loop()
    connection.connected.connect(lambda _: loop.call_soon_threadsafe(opened.set))
    await asyncio.to_thread(connection.open, for_continuous_recognition=True)
    await opened.wait()
    script.add("tts", Step(status=status, repeat=True))
    spoken = await asyncio.to_thread(lambda: synthesizer.speak_ssml_async(TEXT).get())
    assert spoken.cancellation_details.error_code == dict(STATUSES)[status]
    assert script.served[0].outcome == f"status-{status}"


async def test_the_list_of_voices_can_fail(url: str, script: Script) -> None:
    """The list of voices obeys its steps too."""
    script.add("voices", Step(status=503, headers={"Retry-After": "7"}), Step(body="[]"))
    async with aiohttp.ClientSession(headers={"Ocp-Apim-Subscription-Key": "any"}) as client:
        async with client.get(f"{url}/cognitiveservices/voices/list") as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "7")
        async with client.get(f"{url}/cognitiveservices/voices/list") as listed:
            assert await listed.json() == []


async def test_a_script_can_be_set_over_http(url: str) -> None:
    """Another process can add steps, read the log, and clear both over HTTP; an invalid step is 400."""
    async with aiohttp.ClientSession(url) as client:
        steps = {"stt": [{"text": WORDS, "repeat": True}]}
        async with client.put("/_emulator/script", json=steps) as stored:
            assert stored.status == 204
        assert (await recognise(config(url), SECOND)).words == WORDS.lower()
        async with client.get("/_emulator/log") as log:
            (entry,) = await log.json()
        assert (entry["operation"], entry["outcome"]) == ("stt", "done")
        async with client.delete("/_emulator/script") as cleared:
            assert cleared.status == 204
        async with client.put("/_emulator/script", json={"stt": [{"tempo": 1}]}) as refused:
            assert (refused.status, await refused.json()) == (400, {"error": "a step has no tempo"})
