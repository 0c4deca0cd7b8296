"""The Speech emulator hears real words, through the real SDK: espeak-ng speaks them, PocketSphinx listens."""

import asyncio
import json
import os
import signal
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import azure.cognitiveservices.speech as sdk
import pytest
import pytest_asyncio

from emulators.script import Script
from emulators.serving import serving
from emulators.speech import speech_app
from emulators.speech.engines import Engines
from emulators.speech.phrases import TICKS_PER_SECOND
from emulators.speech.recognizers.sphinx import Sphinx
from emulators.speech.synthesizers.espeak import Espeak
from tests.emulators.speech_client import Call, config, recognise, speak, ssml
from tests.eventually import eventually
from tests.sound import silence
from voice_core.domain.audio import SPEECH_RATE, seconds

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLE = Path(__file__).parents[2] / "samples" / "hello.wav"
TEXT = "good morning everyone"
"""Without hints, espeak-ng's first word of it is heard as another."""


class Listening:
    """An emulator with two recognition processes, shared by the tests of this module."""

    def __init__(self, url: str, script: Script, recognizer: Sphinx) -> None:
        self.url = url
        self.script = script
        self.recognizer = recognizer

    async def said(self, text: str) -> bytes:
        """*text* as the emulator speaks it, at 24 kHz."""
        return (await speak(config(self.url), ssml(text))).pcm


@pytest_asyncio.fixture(name="emulator", scope="module", loop_scope="module")
async def _emulator() -> AsyncIterator[Listening]:
    script, recognizer = Script(), Sphinx(2)
    async with serving(speech_app(Engines(recognizer, Espeak()), script)) as url:
        yield Listening(url, script, recognizer)


async def test_the_sample_is_understood(emulator: Listening) -> None:
    """The bundled clip comes back as its words: interims that grow while it is heard, then the whole as a sentence."""
    with wave.open(str(SAMPLE)) as clip:
        rate, pcm = clip.getframerate(), clip.readframes(clip.getnframes())
    call = await recognise(config(emulator.url), pcm, rate)
    assert [final.text for final in call.finals] == ["Hello what is the weather like today."]
    assert len(call.interims) >= 5
    assert call.interims[0].text == "hello"
    durations = [interim.duration for interim in call.interims]
    assert durations == sorted(durations)


async def test_what_it_speaks_it_understands(emulator: Listening) -> None:
    """A sentence spoken by the emulator is heard by it as the same words, with the times of each and a confidence."""
    pcm = await emulator.said(TEXT)
    detailed = config(emulator.url)
    detailed.output_format = sdk.OutputFormat.Detailed
    detailed.request_word_level_timestamps()
    call = await recognise(detailed, pcm, SPEECH_RATE, phrases=TEXT.split())
    assert call.words == TEXT
    document = json.loads(call.finals[0].json)
    best = document["NBest"][0]
    assert best["Lexical"] == TEXT
    assert 0.0 < best["Confidence"] <= 1.0
    assert [word["Word"] for word in best["Words"]] == TEXT.split()
    starts = [word["Offset"] for word in best["Words"]]
    ends = [word["Offset"] + word["Duration"] for word in best["Words"]]
    assert starts == sorted(starts)
    assert ends[-1] <= document["Duration"]
    assert document["Duration"] / TICKS_PER_SECOND == pytest.approx(seconds(len(pcm), SPEECH_RATE), abs=0.001)


async def test_phrase_lists_change_what_is_heard(emulator: Listening) -> None:
    """Sound that could be either is heard as the phrase that the client calls likely."""
    pcm = await emulator.said(TEXT)
    plain = await recognise(config(emulator.url), pcm, SPEECH_RATE)
    hinted = await recognise(config(emulator.url), pcm, SPEECH_RATE, phrases=[TEXT])
    assert plain.words != TEXT
    assert hinted.words == TEXT


async def test_silence_is_no_match(emulator: Listening) -> None:
    """In silence nothing is heard, which is a result and not a failure."""
    call = await recognise(config(emulator.url), silence(1.0))
    assert [final.reason for final in call.finals] == [sdk.ResultReason.NoMatch]
    assert call.finals[0].no_match_details.reason == sdk.NoMatchReason.InitialSilenceTimeout
    assert call.failure is None
    assert not call.interims
    assert not call.detected


async def test_the_language_is_told(emulator: Listening) -> None:
    """Among candidates the one that the engine knows is found, and named with what was heard."""
    pcm = await emulator.said("yes")
    call = await recognise(config(emulator.url), pcm, SPEECH_RATE, languages=["de-DE", "en-GB"], phrases=["yes"])
    assert call.words == "yes"
    assert sdk.AutoDetectSourceLanguageResult(call.finals[0]).language == "en-GB"


async def test_a_language_without_a_model(emulator: Listening) -> None:
    """What the engine has no model of is refused, with the reason."""
    call = await recognise(config(emulator.url), silence(0.5), languages=["fr-FR"])
    assert call.failure.code == sdk.CancellationErrorCode.BadRequest
    assert "PocketSphinx has no model of fr-FR" in call.failure.error_details


async def test_more_at_once_than_processes(emulator: Listening) -> None:
    """Ten people are understood at the same time by two processes: nobody is refused, nothing is mixed up."""
    texts = (TEXT, "ice cream for everyone", "yes", "no", "seven") * 2
    sounds = [await emulator.said(text) for text in texts]
    calls = await asyncio.gather(
        *(
            recognise(config(emulator.url), sound, SPEECH_RATE, phrases=text.split())
            for text, sound in zip(texts, sounds, strict=True)
        )
    )
    assert tuple(call.words for call in calls) == texts


async def test_hanging_up_frees_the_engine(emulator: Listening) -> None:
    """Who stops in the middle costs those who come after nothing, however often it happens."""
    pcm = await emulator.said(TEXT)
    emulator.script.clear()
    for _ in range(3):
        call = Call(config(emulator.url), SPEECH_RATE)
        await call.start()
        call.write(pcm)
        await eventually(lambda call=call: call.interims)  # type: ignore[misc]
        await call.hang_up()
    await eventually(lambda: all(served.ended for served in emulator.script.served))
    assert {served.outcome for served in emulator.script.served} == {"cancelled"}
    heard = await recognise(config(emulator.url), pcm, SPEECH_RATE, phrases=TEXT.split())
    assert heard.words == TEXT


async def test_a_crash_costs_one_turn(emulator: Listening, caplog: pytest.LogCaptureFixture) -> None:
    """When a recognition process dies its turn fails and says so, and the next turn has a new process."""
    pcm = await emulator.said(TEXT)
    emulator.script.clear()
    call = Call(config(emulator.url), SPEECH_RATE)
    await call.start()
    call.write(pcm)
    await eventually(lambda: call.interims)
    for worker in emulator.recognizer._workers:
        os.kill(worker.pid, signal.SIGKILL)
    await call.finish()
    assert call.failure.code == sdk.CancellationErrorCode.ServiceError
    assert emulator.script.served[0].outcome == "status-500"
    assert "A turn failed." in caplog.text
    heard = await recognise(config(emulator.url), pcm, SPEECH_RATE, phrases=TEXT.split())
    assert heard.words == TEXT
