"""Failures of the service, as our errors."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from traceback import format_exception_only

import pytest

from emulators.script import Script, Step
from fakes.eventually import HANG_SECONDS, eventually
from fakes.sound import voice_like
from tests.adapters.test_azure_speech.conftest import KEY, MakeStt, MakeTts, SocketMonitor, requests_of
from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.adapters.azure_speech.failures import BadRequest, SpeechServiceError
from voice_core.adapters.azure_speech.recognition import AzureSpeechToText
from voice_core.adapters.azure_speech.synthesis import AzureTextToSpeech
from voice_core.adapters.azure_speech.voices import LONGEST_LIST_BYTES
from voice_core.domain.errors import Misconfigured, StageFailed, StageTimedOut, Throttled, Unreachable
from voice_core.domain.speech import Hints

SOUND = voice_like(0.3)
Failing = AsyncGenerator[object]

STATUSES = [
    (400, BadRequest, False),
    (401, Misconfigured, False),
    (403, Misconfigured, False),
    (404, Misconfigured, False),
    (429, Throttled, True),
    (500, StageFailed, True),
    (503, StageFailed, True),
]


async def once(pcm: bytes) -> AsyncIterator[bytes]:
    yield pcm


def recognition(stt: AzureSpeechToText) -> Failing:
    return stt.transcribe(once(SOUND), Hints())


async def failure(results: Failing) -> StageFailed:
    """The error that ends *results*; its text contains no address and no key."""
    async with asyncio.timeout(HANG_SECONDS):
        with pytest.raises(StageFailed) as raised:
            async for _ in results:
                pass
    text = "".join(format_exception_only(raised.value))
    assert "127.0.0.1" not in text
    assert KEY not in text
    return raised.value


@pytest.fixture(name="unreachable")
def _unreachable() -> SpeechAccess:
    """Access to a port on which no server listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return SpeechAccess(f"http://127.0.0.1:{free.getsockname()[1]}", key=KEY)


@pytest.mark.parametrize(("status", "kind", "retryable"), STATUSES)
async def test_recognition_refused(
    stt: AzureSpeechToText, script: Script, status: int, kind: type[StageFailed], retryable: bool
) -> None:
    """Each status becomes, after at most one retry, an error with its kind, stage and cause."""
    script.add("stt", Step(status=status, repeat=True))
    error = await failure(recognition(stt))
    assert (type(error), error.stage, error.retryable) == (kind, "stt", retryable)
    assert isinstance(error.__cause__, SpeechServiceError)
    assert len(requests_of(script, "stt")) <= 2


@pytest.mark.parametrize(("status", "kind", "retryable"), STATUSES)
async def test_synthesis_refused(
    tts: AzureTextToSpeech, script: Script, status: int, kind: type[StageFailed], retryable: bool
) -> None:
    """Each status becomes, after at most one retry, an error with its kind, stage and cause."""
    script.add("tts", Step(status=status, repeat=True))
    error = await failure(tts.synthesize("Hello.", None))
    assert (type(error), error.stage, error.retryable) == (kind, "tts", retryable)
    assert isinstance(error.__cause__, SpeechServiceError)
    assert len(requests_of(script, "tts")) <= 2


@pytest.mark.parametrize(("status", "kind"), [(429, Throttled), (500, StageFailed)])
async def test_refusal_on_a_warmed_connection(
    stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script, status: int, kind: type[StageFailed]
) -> None:
    """A turn that is refused on an open connection fails like one whose connection is refused."""
    await stt.warm(Hints())
    await tts.warm(None)
    script.add("stt", Step(status=status, repeat=True))
    script.add("tts", Step(status=status, repeat=True))
    assert type(await failure(recognition(stt))) is kind
    assert type(await failure(tts.synthesize("Hello.", None))) is kind


async def test_warming_a_service_that_refuses(
    stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script, sockets: SocketMonitor
) -> None:
    """Warming raises no error, and the next turn is served when the service has recovered."""
    script.add("stt", Step(status=503), Step(text="here again"))
    await stt.warm(Hints())
    results = [result async for result in stt.transcribe(once(SOUND), Hints())]
    assert results[-1].text == "here again"


async def test_failing_warming_does_not_delay_a_turn(
    stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script
) -> None:
    """A turn that begins while warming fails gets the error, and does not wait until warming ends."""
    for operation in ("stt", "tts"):
        script.add(operation, Step(status=401, repeat=True))
    warming = asyncio.gather(stt.warm(Hints()), tts.warm(None))
    await asyncio.sleep(0)
    assert type(await failure(recognition(stt))) is Misconfigured
    assert type(await failure(tts.synthesize("Hello.", None))) is Misconfigured
    warming.cancel()
    await asyncio.gather(warming, return_exceptions=True)


async def test_one_retry_is_silent(stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script) -> None:
    """A connection that breaks before the first result is replaced, and the caller does not notice."""
    script.add("stt", Step(text="not lost", drop_after=0), Step(text="not lost"))
    results = [result async for result in stt.transcribe(once(SOUND), Hints())]
    assert results[-1].text == "not lost"
    assert [turn.outcome for turn in requests_of(script, "stt")] == ["dropped", "done"]
    script.add("tts", Step(drop_after=0))
    assert sum([len(chunk) async for chunk in tts.synthesize("Hello.", None)])
    assert [turn.outcome for turn in requests_of(script, "tts")] == ["dropped", "done"]


async def test_broken_connections(stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script) -> None:
    """If connections keep breaking, the turn fails as retryable at once, not at its deadline."""
    script.add("stt", Step(text="lost", drop_after=0, repeat=True))
    error = await failure(recognition(stt))
    assert (type(error), error.stage, error.retryable) == (StageFailed, "stt", True)
    script.add("tts", Step(drop_after=1, repeat=True))
    error = await failure(tts.synthesize("Long enough to be more than one chunk.", None))
    assert (type(error), error.stage, error.retryable) == (StageFailed, "tts", True)


@pytest.mark.parametrize("warmed", [False, True])
async def test_recognition_that_never_responds(make_stt: MakeStt, script: Script, warmed: bool) -> None:
    """A service that sends no transcript within *final_seconds* of the utterance's end is disconnected."""
    stt = make_stt(final_seconds=0.1)
    if warmed:
        await stt.warm(Hints())
    script.add("stt", Step(hang=True))
    assert type(await failure(recognition(stt))) is StageTimedOut
    await disconnected(script, "stt")


async def disconnected(script: Script, operation: str) -> None:
    """Wait until the request has ended; the service may receive it only after its caller gave up."""
    await eventually(lambda: [served for served in requests_of(script, operation) if served.ended])


async def test_synthesis_that_never_responds(make_tts: MakeTts, script: Script) -> None:
    """A service that sends no first chunk within *chunk_seconds* is disconnected."""
    tts = make_tts(chunk_seconds=0.1)
    script.add("tts", Step(hang=True))
    assert type(await failure(tts.synthesize("Hello.", None))) is StageTimedOut
    await disconnected(script, "tts")


async def test_a_connection_that_never_opens(make_stt: MakeStt, make_tts: MakeTts, script: Script) -> None:
    """A service that does not accept the connection times out after the same seconds."""
    script.add("stt", Step(connect_seconds=1000.0))
    script.add("tts", Step(connect_seconds=1000.0))
    assert type(await failure(recognition(make_stt(final_seconds=0.1)))) is StageTimedOut
    assert type(await failure(make_tts(chunk_seconds=0.1).synthesize("Hello.", None))) is StageTimedOut


async def test_a_service_that_is_not_running(unreachable: SpeechAccess, make_stt: MakeStt, make_tts: MakeTts) -> None:
    """A port on which no server listens is reported as unreachable and retryable."""
    for results in (recognition(make_stt(unreachable)), make_tts(unreachable).synthesize("Hello.", None)):
        error = await failure(results)
        assert (type(error), error.retryable) == (Unreachable, True)
    await unreachable.close()


async def test_a_malformed_phrase_is_a_failure(stt: AzureSpeechToText, script: Script) -> None:
    """A document of the service that cannot be parsed is a failure of the stage, not a crash."""
    script.add("stt", Step(body='{"RecognitionStatus":"Success","Duration":3000000,"NBest":7}', repeat=True))
    error = await failure(recognition(stt))
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
async def test_checks_report_the_failure(
    stt: AzureSpeechToText, tts: AzureTextToSpeech, script: Script, step: Step, kind: type[StageFailed]
) -> None:
    """A check fails with the same errors as a turn."""
    script.add("voices", step, step)
    for check, stage in ((stt.check, "stt"), (tts.check, "tts")):
        error = await _failed(check)
        assert (type(error), error.stage) == (kind, stage)
        assert error.retry_after == (7.0 if kind is Throttled else None)


async def _failed(check: Callable[[], Awaitable[None]]) -> StageFailed:
    with pytest.raises(StageFailed) as raised:
        await check()
    return raised.value


async def test_checks_of_a_healthy_service_pass(
    stt: AzureSpeechToText, tts: AzureTextToSpeech, unreachable: SpeechAccess, make_stt: MakeStt
) -> None:
    """A check passes if and only if the service can be reached."""
    await stt.check()
    await tts.check()
    with pytest.raises(StageFailed):
        await make_stt(unreachable).check()
    await unreachable.close()
