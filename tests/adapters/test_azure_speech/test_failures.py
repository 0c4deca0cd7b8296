"""What goes wrong at the service, as our errors."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from traceback import format_exception_only

import pytest

from emulators.script import Script, Step
from tests.adapters.test_azure_speech.conftest import KEY, Door, MakeStt, MakeTts, asked
from tests.eventually import PATIENCE_SECONDS, eventually
from tests.sound import voice_like
from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.adapters.azure_speech.failures import SpeechServiceError
from voice_core.adapters.azure_speech.recognition import AzureSpeechToText
from voice_core.adapters.azure_speech.synthesis import AzureTextToSpeech
from voice_core.adapters.azure_speech.voices import LONGEST_LIST_BYTES
from voice_core.domain.errors import Misconfigured, StageFailed, StageTimedOut, Throttled, Unreachable
from voice_core.domain.speech import Hints

SOUND = voice_like(0.3)
Failing = AsyncGenerator[object]

STATUSES = [
    (400, StageFailed, False),
    (401, Misconfigured, False),
    (403, Misconfigured, False),
    (404, Misconfigured, False),
    (429, Throttled, True),
    (500, StageFailed, True),
    (503, StageFailed, True),
]


async def once(pcm: bytes) -> AsyncIterator[bytes]:
    yield pcm


def hear(stt: AzureSpeechToText) -> Failing:
    return stt.transcribe(once(SOUND), Hints())


async def failure(results: Failing) -> StageFailed:
    """The error that ends *results*; its text has no address and no key."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(StageFailed) as raised:
            async for _ in results:
                pass
    told = "".join(format_exception_only(raised.value))
    assert "127.0.0.1" not in told
    assert KEY not in told
    return raised.value


@pytest.fixture(name="nowhere")
def _nowhere() -> SpeechAccess:
    """A service that is not there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return SpeechAccess(f"http://127.0.0.1:{free.getsockname()[1]}", key=KEY)


@pytest.mark.parametrize(("status", "kind", "retryable"), STATUSES)
async def test_recognition_refused(
    stt: AzureSpeechToText, script: Script, status: int, kind: type[StageFailed], retryable: bool
) -> None:
    """Each status becomes, after one more try at most, the error that tells the caller what to do, and its cause."""
    script.add("stt", Step(status=status, repeat=True))
    error = await failure(hear(stt))
    assert (type(error), error.stage, error.retryable) == (kind, "stt", retryable)
    assert isinstance(error.__cause__, SpeechServiceError)
    assert len(asked(script, "stt")) <= 2


@pytest.mark.parametrize(("status", "kind", "retryable"), STATUSES)
async def test_synthesis_refused(
    tts: AzureTextToSpeech, script: Script, status: int, kind: type[StageFailed], retryable: bool
) -> None:
    """Each status becomes, after one more try at most, the error that tells the caller what to do, and its cause."""
    script.add("tts", Step(status=status, repeat=True))
    error = await failure(tts.synthesize("Hello.", None))
    assert (type(error), error.stage, error.retryable) == (kind, "tts", retryable)
    assert isinstance(error.__cause__, SpeechServiceError)
    assert len(asked(script, "tts")) <= 2


@pytest.mark.parametrize(("status", "kind"), [(429, Throttled), (500, StageFailed)])
async def test_refused_on_a_connection_that_was_ready(
    stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script, status: int, kind: type[StageFailed]
) -> None:
    """A turn that is refused on an open connection fails as one whose connection is refused."""
    await stt.warm(Hints())
    await tts.warm(None)
    script.add("stt", Step(status=status, repeat=True))
    script.add("tts", Step(status=status, repeat=True))
    assert type(await failure(hear(stt))) is kind
    assert type(await failure(tts.synthesize("Hello.", None))) is kind


async def test_warming_a_service_that_refuses(
    stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script, door: Door
) -> None:
    """Warming says nothing of a failure, and the turn after it is served when the service is well again."""
    script.add("stt", Step(status=503), Step(text="here again"))
    await stt.warm(Hints())
    results = [result async for result in stt.transcribe(once(SOUND), Hints())]
    assert results[-1].text == "here again"


async def test_a_connection_that_cannot_be_opened_ahead_delays_nobody(
    stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script
) -> None:
    """A turn that comes while connections are being opened in vain hears why, and does not wait for that to end."""
    for operation in ("stt", "tts"):
        script.add(operation, Step(status=401, repeat=True))
    warming = asyncio.gather(stt.warm(Hints()), tts.warm(None))
    await asyncio.sleep(0)
    assert type(await failure(hear(stt))) is Misconfigured
    assert type(await failure(tts.synthesize("Hello.", None))) is Misconfigured
    warming.cancel()
    await asyncio.gather(warming, return_exceptions=True)


async def test_one_retry_is_silent(stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script) -> None:
    """A connection that breaks before anything came of it is replaced, and the caller does not notice."""
    script.add("stt", Step(text="not lost", drop_after=0), Step(text="not lost"))
    results = [result async for result in stt.transcribe(once(SOUND), Hints())]
    assert results[-1].text == "not lost"
    assert [turn.outcome for turn in asked(script, "stt")] == ["dropped", "done"]
    script.add("tts", Step(drop_after=0))
    assert sum([len(chunk) async for chunk in tts.synthesize("Hello.", None)])
    assert [turn.outcome for turn in asked(script, "tts")] == ["dropped", "done"]


async def test_broken_connections(stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script) -> None:
    """What keeps breaking fails at once, not when its time is up, and may be tried again later."""
    script.add("stt", Step(text="lost", drop_after=0, repeat=True))
    error = await failure(hear(stt))
    assert (type(error), error.stage, error.retryable) == (StageFailed, "stt", True)
    script.add("tts", Step(drop_after=1, repeat=True))
    error = await failure(tts.synthesize("Long enough to be more than one chunk.", None))
    assert (type(error), error.stage, error.retryable) == (StageFailed, "tts", True)


@pytest.mark.parametrize("warmed", [False, True])
async def test_recognition_that_never_answers(make_stt: MakeStt, script: Script, warmed: bool) -> None:
    """After the end of the utterance the service has its time and no more; then it is hung up on."""
    stt = make_stt(final_seconds=0.1)
    if warmed:
        await stt.warm(Hints())
    script.add("stt", Step(hang=True))
    assert type(await failure(hear(stt))) is StageTimedOut
    await hung_up_on(script, "stt")


async def hung_up_on(script: Script, operation: str) -> None:
    """Wait for it: the service may hear of the request only after its caller gave up."""
    await eventually(lambda: [served for served in asked(script, operation) if served.ended])


async def test_synthesis_that_never_answers(make_tts: MakeTts, script: Script) -> None:
    """The first chunk has its time and no more; then the service is hung up on."""
    tts = make_tts(chunk_seconds=0.1)
    script.add("tts", Step(hang=True))
    assert type(await failure(tts.synthesize("Hello.", None))) is StageTimedOut
    await hung_up_on(script, "tts")


async def test_a_connection_that_never_opens(make_stt: MakeStt, make_tts: MakeTts, script: Script) -> None:
    """A service that does not even take the connection is given up in the same time."""
    script.add("stt", Step(connect_seconds=1000.0))
    script.add("tts", Step(connect_seconds=1000.0))
    assert type(await failure(hear(make_stt(final_seconds=0.1)))) is StageTimedOut
    assert type(await failure(make_tts(chunk_seconds=0.1).synthesize("Hello.", None))) is StageTimedOut


async def test_a_service_that_is_not_there(nowhere: SpeechAccess, make_stt: MakeStt, make_tts: MakeTts) -> None:
    """A port where nobody listens is told as that, and may be tried again."""
    for results in (hear(make_stt(nowhere)), make_tts(nowhere).synthesize("Hello.", None)):
        error = await failure(results)
        assert (type(error), error.retryable) == (Unreachable, True)
    await nowhere.close()


async def test_a_phrase_that_is_not_one(stt: AzureSpeechToText, script: Script) -> None:
    """A document of the service that nobody understands is a failure and no crash."""
    script.add("stt", Step(body='{"RecognitionStatus":"Success","Duration":3000000,"NBest":7}', repeat=True))
    error = await failure(hear(stt))
    assert (type(error), error.stage) == (StageFailed, "stt")


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Step(status=401), Misconfigured),
        (Step(status=429, headers={"Retry-After": "7"}), Throttled),
        (Step(status=500), StageFailed),
        (Step(body="[{}]"), StageFailed),
        (Step(body="not JSON"), StageFailed),
        (Step(body="[" * 100_000), StageFailed),
        (Step(body="{}"), StageFailed),
        (Step(body=" " * LONGEST_LIST_BYTES + "[]"), StageFailed),
        (Step(status=302, headers={"Location": "http://127.0.0.1:1/"}), StageFailed),
        (Step(status=503, headers={"Retry-After": "9" * 400}), StageFailed),
    ],
)
async def test_checks_tell_what_is_wrong(
    stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script, step: Step, kind: type[StageFailed]
) -> None:
    """A check fails as a turn would."""
    script.add("voices", step, step)
    for check, stage in ((stt.check, "stt"), (tts.check, "tts")):
        error = await _failed(check)
        assert (type(error), error.stage) == (kind, stage)
        assert error.retry_after == (7.0 if kind is Throttled else None)


async def _failed(check: Callable[[], Awaitable[None]]) -> StageFailed:
    with pytest.raises(StageFailed) as raised:
        await check()
    return raised.value


async def test_checks_of_a_service_that_is_well(
    stt: AzureSpeechToText, tts: AzureTextToSpeech, nowhere: SpeechAccess, make_stt: MakeStt
) -> None:
    """A check passes when the service can be reached, and only then."""
    await stt.check()
    await tts.check()
    with pytest.raises(StageFailed):
        await make_stt(nowhere).check()
    await nowhere.close()
