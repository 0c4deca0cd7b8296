"""Speech to text: what is heard, and when."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from emulators.script import Script, Step
from tests.adapters.test_azure_speech.conftest import Door, MakeStt, asked
from tests.eventually import PATIENCE_SECONDS, eventually
from tests.sound import silence, voice_like
from voice_core.adapters.azure_speech.recognition import AzureSpeechToText
from voice_core.domain.errors import InvalidAudio, InvalidInput, NoSpeech
from voice_core.domain.speech import Hints, Interim, Transcript
from voice_core.ports.providers import Checkable, SpeechToText

SECOND = voice_like(1.0)
WORDS = "what is the weather like in Lisbon"


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def hear(stt: AzureSpeechToText, *chunks: bytes, hints: Hints | None = None) -> list[Interim | Transcript]:
    return [result async for result in stt.transcribe(stream(*chunks), hints or Hints())]


async def transcript(stt: AzureSpeechToText, *chunks: bytes, hints: Hints | None = None) -> Transcript:
    last = (await hear(stt, *chunks, hints=hints))[-1]
    assert isinstance(last, Transcript)
    return last


def test_it_fits_the_ports(stt: AzureSpeechToText) -> None:
    """The adapter is what the use cases need."""
    ports: tuple[SpeechToText, Checkable] = (stt, stt)
    assert all(ports)


async def test_an_utterance_is_transcribed(stt: AzureSpeechToText, script: Script) -> None:
    """Interims grow while the sound arrives, and the transcript of all of it is last."""
    script.add("stt", Step(text=WORDS))
    *interims, last = await hear(stt, SECOND, SECOND)
    assert isinstance(last, Transcript)
    assert (last.text, last.language, last.confidence, last.duration_ms) == (WORDS, "en-US", 0.95, 2000)
    (phrase,) = last.phrases
    assert [word.text for word in phrase.words] == WORDS.split()
    assert (phrase.start_ms, phrase.end_ms) == (0, 2000)
    texts = [interim.text for interim in interims]
    assert texts == sorted(texts, key=len)
    assert texts[-2:] == ["what is the weather like in", WORDS]


async def test_pauses_lose_nothing(stt: AzureSpeechToText, script: Script) -> None:
    """A minute of speech with long pauses gives every phrase of it, with the mean confidence over time."""
    minute = (SECOND * 7 + silence(3.0)) * 6
    heard = await transcript(stt, minute)
    assert heard.text == " ".join(["One two three. Four five. Six seven eight nine."] * 2)
    assert heard.duration_ms == 60_000
    assert heard.confidence == pytest.approx((0.9 + 0.6 + 0.8) / 3, abs=0.02)
    assert asked(script, "stt")[0].facts["audio_seconds"] == pytest.approx(60.0)


async def test_interims_hold_the_whole_text_so_far(stt: AzureSpeechToText) -> None:
    """An interim of the second phrase begins with the first."""
    interims = await hear(stt, SECOND + silence(1.0), SECOND)
    assert Interim("One two three. four") in interims


async def test_the_language_asked_for(stt: AzureSpeechToText, script: Script) -> None:
    """One language is the one that is recognised, and phrases of one without spaces join without any."""
    heard = await transcript(stt, SECOND + silence(1.0) + SECOND, hints=Hints(languages=("ja-JP",)))
    assert heard.language == "ja-JP"
    assert heard.text == "One two three.Four five."
    assert asked(script, "stt")[0].facts["languages"] == ["ja-JP"]


async def test_a_language_is_found_among_several(stt: AzureSpeechToText, script: Script) -> None:
    """Of several candidates the transcript names the one that was spoken."""
    heard = await transcript(stt, SECOND, hints=Hints(languages=("de-DE", "fr-FR")))
    assert heard.language == "fr-FR"
    assert asked(script, "stt")[0].facts["languages"] == ["de-DE", "fr-FR"]


@pytest.mark.parametrize(
    ("languages", "code"),
    [
        (("de-DE", "en-US", "es-ES", "fr-FR", "it-IT"), "languages-too-many"),
        (("en-US,fr-FR",), "language-invalid"),
        (("",), "language-invalid"),
    ],
)
async def test_languages_that_cannot_be(
    stt: AzureSpeechToText, door: Door, languages: tuple[str, ...], code: str
) -> None:
    """What the service could not do with languages is refused before it is asked."""
    with pytest.raises(InvalidInput) as refusal:
        await hear(stt, SECOND, hints=Hints(languages=languages))
    assert refusal.value.code == code
    assert not door.entered


async def test_likely_phrases_are_passed_on(stt: AzureSpeechToText, script: Script) -> None:
    """The service hears of the words that are likely to be said, even on a connection that was opened without them."""
    phrases = ("Stardew Valley", 'the "Witcher" & co', "Ōkami")
    await stt.warm(Hints())
    await hear(stt, SECOND, hints=Hints(phrases=(*phrases, "", "\x00", "\ud800")))
    assert asked(script, "stt")[0].facts["phrases"] == list(phrases)


@pytest.mark.parametrize("chunks", [(), (b"",), (b"", b"")])
async def test_no_sound_is_no_speech(stt: AzureSpeechToText, door: Door, chunks: tuple[bytes, ...]) -> None:
    """An utterance of no bytes costs nothing."""
    with pytest.raises(NoSpeech):
        await hear(stt, *chunks)
    assert not door.entered


async def test_silence_is_no_speech(stt: AzureSpeechToText, script: Script) -> None:
    """Sound in which the service hears nothing is told apart from a failure."""
    with pytest.raises(NoSpeech) as outcome:
        await hear(stt, silence(0.5))
    assert outcome.value.stage == "stt"
    assert asked(script, "stt")[0].outcome == "done"


async def test_a_broken_utterance(stt: AzureSpeechToText, script: Script, door: Door) -> None:
    """What goes wrong while the utterance is read reaches the caller as it is, and frees the recogniser."""

    async def breaking() -> AsyncIterator[bytes]:
        yield SECOND
        await eventually(lambda: asked(script, "stt"))
        raise InvalidAudio("The sound broke off.")

    with pytest.raises(InvalidAudio):
        async for _ in stt.transcribe(breaking(), Hints()):
            pass
    await eventually(lambda: not door.inside)


async def test_short_utterances_are_heard(stt: AzureSpeechToText, script: Script) -> None:
    """Also those that end before the SDK looks at them."""
    script.add("stt", Step(text="yes", repeat=True))
    for n in range(8):
        assert (await transcript(stt, SECOND[: 3200 * (1 + n % 8)])).text == "yes"


async def test_many_at_once(stt: AzureSpeechToText, script: Script) -> None:
    """Twenty people are heard at the same time, each to the end."""
    script.add("stt", Step(text=WORDS, first_seconds=0.1, repeat=True))
    heard = await asyncio.gather(*(transcript(stt, SECOND, SECOND) for _ in range(20)))
    assert {result.text for result in heard} == {WORDS}
    first, second, *_ = sorted(asked(script, "stt"), key=lambda served: served.started)
    assert first.ended is not None
    assert second.started < first.ended


async def test_closing_stops_the_service(stt: AzureSpeechToText, script: Script, door: Door) -> None:
    """Who is not listened to any more is hung up on."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield SECOND[:3200]
            await asyncio.sleep(0.02)

    script.add("stt", Step(text=WORDS))
    async with aclosing(stt.transcribe(endless(), Hints())) as results:
        assert isinstance(await anext(results), Interim)
    await eventually(lambda: asked(script, "stt")[0].ended and not door.inside)


async def test_cancelling_while_connecting(stt: AzureSpeechToText, script: Script) -> None:
    """A turn can be given up before the service has answered at all, and the next one is served."""
    script.add("stt", Step(connect_seconds=0.5, text=WORDS))
    turn = asyncio.create_task(transcript(stt, SECOND))
    await asyncio.sleep(0.1)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    script.clear()
    script.add("stt", Step(text=WORDS))
    assert (await transcript(stt, SECOND)).text == WORDS


async def test_a_warmed_turn_does_not_pay_for_connecting(make_stt: MakeStt, script: Script) -> None:
    """What `warm` opened is used by the next turn."""
    stt = make_stt()
    await stt.warm(Hints())
    script.add("stt", Step(connect_seconds=30.0, text=WORDS, repeat=True))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await hear(stt, SECOND)


async def test_a_turn_waits_for_the_connection_being_opened(stt: AzureSpeechToText, script: Script, door: Door) -> None:
    """Who speaks while the connection is being opened gets that one and not a second."""
    script.add("stt", Step(connect_seconds=0.2, text=WORDS))
    warming = asyncio.create_task(stt.warm(Hints()))
    await eventually(lambda: door.inside)
    assert (await transcript(stt, SECOND)).text == WORDS
    await warming
    assert len(asked(script, "stt")) == 1


async def test_a_turn_makes_the_next_one_ready(stt: AzureSpeechToText, script: Script, door: Door) -> None:
    """After a turn a connection is opened for the next one."""
    script.add("stt", Step(text=WORDS, repeat=True))
    await hear(stt, SECOND)
    await eventually(lambda: len(door.entered) == 2)
    await hear(stt, SECOND)
    await eventually(lambda: len(door.entered) == 3)
    assert len(asked(script, "stt")) == 2


async def test_idle_connections_are_closed(make_stt: MakeStt, door: Door) -> None:
    """What nobody uses is given up, after its time or when the adapter is closed."""
    stt = make_stt(keep_seconds=0.1)
    await stt.warm(Hints())
    assert door.inside == 1
    await eventually(lambda: not door.inside)
    other = make_stt()
    await other.warm(Hints())
    await other.close()
    await eventually(lambda: not door.inside)


async def test_connections_ready_are_few(make_stt: MakeStt, door: Door) -> None:
    """However much is warmed, no more than so many stay open."""
    stt = make_stt(ready=2)
    for language in ("de-DE", "en-US", "es-ES", "fr-FR"):
        await stt.warm(Hints(languages=(language,)))
    await eventually(lambda: door.inside == 2)


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_a_connection_closed_while_idle_costs_no_turn(
    stt: AzureSpeechToText, script: Script, door: Door, code: int
) -> None:
    """When the service has closed what was ready, the turn opens its own."""
    door.turn_out = code
    await stt.warm(Hints())
    door.turn_out = None
    door.may_close.set()
    await eventually(lambda: not door.inside)
    script.add("stt", Step(text=WORDS, repeat=True))
    assert (await transcript(stt, SECOND)).text == WORDS


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_a_connection_closed_as_a_turn_begins_costs_no_turn(
    stt: AzureSpeechToText, script: Script, door: Door, code: int
) -> None:
    """When the service closes what was ready after the turn has begun, the turn is heard from its beginning."""

    async def begun() -> AsyncIterator[bytes]:
        yield SECOND
        door.may_close.set()
        await eventually(lambda: not door.inside)
        yield SECOND

    door.turn_out = code
    await stt.warm(Hints())
    door.turn_out = None
    script.add("stt", Step(text=WORDS, repeat=True))
    *_, last = [result async for result in stt.transcribe(begun(), Hints())]
    assert isinstance(last, Transcript)
    assert (last.text, last.duration_ms) == (WORDS, 2000)
    # The SDK may have tried the closing connection once more.
    assert max(served.facts.get("audio_seconds", 0.0) for served in asked(script, "stt")) == pytest.approx(2.0)
