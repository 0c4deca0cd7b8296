"""Speech to text: transcripts, languages, and connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from emulators.script import Script, Step
from fakes.eventually import HANG_SECONDS, eventually
from fakes.sound import silence, voice_like
from tests.adapters.test_azure_speech.conftest import MakeStt, SocketMonitor, requests_of
from voice_core.adapters.azure_speech.recognition import AzureSpeechToText
from voice_core.domain.errors import InvalidAudio, InvalidInput, NoSpeech
from voice_core.domain.speech import Hints, Interim, Transcript
from voice_core.ports.providers import Checkable, SpeechToText

SECOND = voice_like(1.0)
WORDS = "what is the weather like in Lisbon"


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def transcribe(stt: AzureSpeechToText, *chunks: bytes, hints: Hints | None = None) -> list[Interim | Transcript]:
    return [result async for result in stt.transcribe(stream(*chunks), hints or Hints())]


async def transcript(stt: AzureSpeechToText, *chunks: bytes, hints: Hints | None = None) -> Transcript:
    last = (await transcribe(stt, *chunks, hints=hints))[-1]
    assert isinstance(last, Transcript)
    return last


def test_the_adapter_implements_the_ports(stt: AzureSpeechToText) -> None:
    """The adapter has the methods that the use cases call; mypy checks their types here."""
    ports: tuple[SpeechToText, Checkable] = (stt, stt)
    assert all(ports)


async def test_an_utterance_is_transcribed(stt: AzureSpeechToText, script: Script) -> None:
    """Interims grow while the audio arrives, and the transcript of all of it comes last."""
    script.add("stt", Step(text=WORDS))
    *interims, last = await transcribe(stt, SECOND, SECOND)
    assert isinstance(last, Transcript)
    assert (last.text, last.language, last.confidence, last.duration_ms) == (WORDS, "en-US", 0.95, 2000)
    (phrase,) = last.phrases
    assert [word.text for word in phrase.words] == WORDS.split()
    assert (phrase.start_ms, phrase.end_ms) == (0, 2000)
    texts = [interim.text for interim in interims]
    assert texts == sorted(texts, key=len)
    assert texts[-2:] == ["what is the weather like in", WORDS]


async def test_pauses_lose_nothing(stt: AzureSpeechToText, script: Script) -> None:
    """The transcript of a minute with long pauses has every phrase, and their confidence averaged over time."""
    minute = (SECOND * 7 + silence(3.0)) * 6
    result = await transcript(stt, minute)
    assert result.text == " ".join(["One two three. Four five. Six seven eight nine."] * 2)
    assert result.duration_ms == 60_000
    assert result.confidence == pytest.approx((0.9 + 0.6 + 0.8) / 3, abs=0.02)
    assert requests_of(script, "stt")[0].facts["audio_seconds"] == pytest.approx(60.0)


async def test_interims_contain_the_text_so_far(stt: AzureSpeechToText) -> None:
    """An interim of the second phrase begins with the first."""
    interims = await transcribe(stt, SECOND + silence(1.0), SECOND)
    assert Interim("One two three. four") in interims


async def test_the_requested_language_is_recognised(stt: AzureSpeechToText, script: Script) -> None:
    """A single language is recognised as such; phrases of a language without spaces are joined without them."""
    result = await transcript(stt, SECOND + silence(1.0) + SECOND, hints=Hints(languages=("ja-JP",)))
    assert result.language == "ja-JP"
    assert result.text == "One two three.Four five."
    assert requests_of(script, "stt")[0].facts["languages"] == ["ja-JP"]


async def test_a_language_is_found_among_several(stt: AzureSpeechToText, script: Script) -> None:
    """If several languages are requested, the transcript names the one that was spoken."""
    result = await transcript(stt, SECOND, hints=Hints(languages=("de-DE", "fr-FR")))
    assert result.language == "fr-FR"
    assert requests_of(script, "stt")[0].facts["languages"] == ["de-DE", "fr-FR"]


@pytest.mark.parametrize(
    ("languages", "code"),
    [
        (("de-DE", "en-US", "es-ES", "fr-FR", "it-IT"), "languages-too-many"),
        (("en-US,fr-FR",), "language-invalid"),
        (("",), "language-invalid"),
    ],
)
async def test_invalid_languages_are_refused(
    stt: AzureSpeechToText, sockets: SocketMonitor, languages: tuple[str, ...], code: str
) -> None:
    """Languages that the service does not support are refused before it is called."""
    with pytest.raises(InvalidInput) as refusal:
        await transcribe(stt, SECOND, hints=Hints(languages=languages))
    assert refusal.value.code == code
    assert not sockets.handshakes


async def test_likely_phrases_are_passed_on(stt: AzureSpeechToText, script: Script) -> None:
    """Valid likely phrases are sent to the service, even on a connection that was opened without them."""
    phrases = ("Stardew Valley", 'the "Witcher" & co', "Ōkami")
    await stt.warm(Hints())
    await transcribe(stt, SECOND, hints=Hints(phrases=(*phrases, "", "\x00", "\ud800")))
    assert requests_of(script, "stt")[0].facts["phrases"] == list(phrases)


@pytest.mark.parametrize("chunks", [(), (b"",), (b"", b"")])
async def test_no_sound_is_no_speech(stt: AzureSpeechToText, sockets: SocketMonitor, chunks: tuple[bytes, ...]) -> None:
    """An utterance without audio is no speech, and opens no connection."""
    with pytest.raises(NoSpeech):
        await transcribe(stt, *chunks)
    assert not sockets.handshakes


async def test_silence_is_no_speech(stt: AzureSpeechToText, script: Script) -> None:
    """Audio in which the service recognises nothing is reported as no speech, not as a failure."""
    with pytest.raises(NoSpeech) as outcome:
        await transcribe(stt, silence(0.5))
    assert outcome.value.stage == "stt"
    assert requests_of(script, "stt")[0].outcome == "done"


async def test_an_error_of_the_utterance_is_raised(
    stt: AzureSpeechToText, script: Script, sockets: SocketMonitor
) -> None:
    """An error while the utterance is read is raised unchanged, and the connection is closed."""

    async def failing_audio() -> AsyncIterator[bytes]:
        yield SECOND
        await eventually(lambda: requests_of(script, "stt"))
        raise InvalidAudio("The sound broke off.")

    with pytest.raises(InvalidAudio):
        async for _ in stt.transcribe(failing_audio(), Hints()):
            pass
    await eventually(lambda: not sockets.open_count)


async def test_short_utterances_are_transcribed(stt: AzureSpeechToText, script: Script) -> None:
    """Utterances that end before the SDK reads them are transcribed as well."""
    script.add("stt", Step(text="yes", repeat=True))
    for n in range(8):
        assert (await transcript(stt, SECOND[: 3200 * (1 + n % 8)])).text == "yes"


async def test_many_at_once(stt: AzureSpeechToText, script: Script) -> None:
    """Twenty utterances are transcribed at the same time, each completely."""
    script.add("stt", Step(text=WORDS, first_seconds=0.1, repeat=True))
    transcripts = await asyncio.gather(*(transcript(stt, SECOND, SECOND) for _ in range(20)))
    assert {result.text for result in transcripts} == {WORDS}
    first, second, *_ = sorted(requests_of(script, "stt"), key=lambda served: served.started)
    assert first.ended is not None
    assert second.started < first.ended


async def test_closing_ends_the_recognition(stt: AzureSpeechToText, script: Script, sockets: SocketMonitor) -> None:
    """When the caller closes the results, the recognition ends and its connection is closed."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield SECOND[:3200]
            await asyncio.sleep(0.02)

    script.add("stt", Step(text=WORDS))
    async with aclosing(stt.transcribe(endless(), Hints())) as results:
        assert isinstance(await anext(results), Interim)
    await eventually(lambda: requests_of(script, "stt")[0].ended and not sockets.open_count)


async def test_cancelling_while_connecting(stt: AzureSpeechToText, script: Script) -> None:
    """A turn can be cancelled before the service has responded, and the next one is served."""
    script.add("stt", Step(connect_seconds=0.5, text=WORDS))
    turn = asyncio.create_task(transcript(stt, SECOND))
    await asyncio.sleep(0.1)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    script.clear()
    script.add("stt", Step(text=WORDS))
    assert (await transcript(stt, SECOND)).text == WORDS


async def test_a_warmed_turn_opens_no_connection(make_stt: MakeStt, script: Script) -> None:
    """The next turn uses the connection that `warm` opened."""
    stt = make_stt()
    await stt.warm(Hints())
    script.add("stt", Step(connect_seconds=30.0, text=WORDS, repeat=True))
    async with asyncio.timeout(HANG_SECONDS):
        await transcribe(stt, SECOND)


async def test_a_turn_waits_for_the_connection_being_opened(
    stt: AzureSpeechToText, script: Script, sockets: SocketMonitor
) -> None:
    """A turn that begins while a connection is being opened uses it, and opens no second one."""
    script.add("stt", Step(connect_seconds=0.2, text=WORDS))
    warming = asyncio.create_task(stt.warm(Hints()))
    await eventually(lambda: sockets.open_count)
    assert (await transcript(stt, SECOND)).text == WORDS
    await warming
    assert len(requests_of(script, "stt")) == 1


async def test_a_turn_opens_a_connection_for_the_next(
    stt: AzureSpeechToText, script: Script, sockets: SocketMonitor
) -> None:
    """After a turn a connection is opened for the next one, which uses it."""
    script.add("stt", Step(text=WORDS, repeat=True))
    await transcribe(stt, SECOND)
    await eventually(lambda: len(sockets.handshakes) == 2)
    await transcribe(stt, SECOND)
    await eventually(lambda: len(sockets.handshakes) == 3)
    assert len(requests_of(script, "stt")) == 2


async def test_idle_connections_are_closed(make_stt: MakeStt, sockets: SocketMonitor) -> None:
    """An unused connection is closed after *keep_seconds*, or when the adapter is closed."""
    stt = make_stt(keep_seconds=0.1)
    await stt.warm(Hints())
    assert sockets.open_count == 1
    await eventually(lambda: not sockets.open_count)
    other = make_stt()
    await other.warm(Hints())
    await other.close()
    await eventually(lambda: not sockets.open_count)


async def test_open_connections_are_limited(make_stt: MakeStt, sockets: SocketMonitor) -> None:
    """However often `warm` is called, at most *ready* connections stay open."""
    stt = make_stt(ready=2)
    for language in ("de-DE", "en-US", "es-ES", "fr-FR"):
        await stt.warm(Hints(languages=(language,)))
    await eventually(lambda: sockets.open_count == 2)


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_a_connection_closed_while_idle_costs_no_turn(
    stt: AzureSpeechToText, script: Script, sockets: SocketMonitor, code: int
) -> None:
    """When the service has closed an idle connection, the turn opens a new one."""
    sockets.close_code = code
    await stt.warm(Hints())
    sockets.close_code = None
    sockets.may_close.set()
    await eventually(lambda: not sockets.open_count)
    script.add("stt", Step(text=WORDS, repeat=True))
    assert (await transcript(stt, SECOND)).text == WORDS


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_a_connection_closed_as_a_turn_begins_costs_no_turn(
    stt: AzureSpeechToText, script: Script, sockets: SocketMonitor, code: int
) -> None:
    """When the service closes an idle connection after the turn has begun, all of the utterance is transcribed."""

    async def audio() -> AsyncIterator[bytes]:
        yield SECOND
        sockets.may_close.set()
        await eventually(lambda: not sockets.open_count)
        yield SECOND

    sockets.close_code = code
    await stt.warm(Hints())
    sockets.close_code = None
    script.add("stt", Step(text=WORDS, repeat=True))
    *_, last = [result async for result in stt.transcribe(audio(), Hints())]
    assert isinstance(last, Transcript)
    assert (last.text, last.duration_ms) == (WORDS, 2000)
    # The SDK may have tried the closing connection once more.
    assert max(served.facts.get("audio_seconds", 0.0) for served in requests_of(script, "stt")) == pytest.approx(2.0)
