"""Real recognition by the Speech emulator, through the real SDK: espeak-ng speaks, PocketSphinx recognises."""

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
from fakes.eventually import eventually
from fakes.sound import silence
from tests.emulators.speech_client import Call, config, recognise, speak, ssml
from voice_core.domain.audio import SPEECH_RATE, seconds

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLE = Path(__file__).parents[2] / "samples" / "hello.wav"
TEXT = "good morning everyone"
"""Without hints, the first word of espeak-ng's speech is recognised as another."""


class SpeechEmulator:
    """An emulator with two recognition processes, shared by the tests of this module."""

    def __init__(self, url: str, script: Script, recognizer: Sphinx) -> None:
        self.url = url
        self.script = script
        self.recognizer = recognizer

    async def spoken(self, text: str) -> bytes:
        """The emulator's speech of *text*, at 24 kHz."""
        return (await speak(config(self.url), ssml(text))).pcm


@pytest_asyncio.fixture(name="emulator", scope="module", loop_scope="module")
async def _emulator() -> AsyncIterator[SpeechEmulator]:
    script, recognizer = Script(), Sphinx(2)
    async with serving(speech_app(Engines(recognizer, Espeak()), script)) as url:
        yield SpeechEmulator(url, script, recognizer)


async def test_the_sample_is_recognised(emulator: SpeechEmulator) -> None:
    """The bundled clip is recognised: interims grow while it is received, then the final has the complete sentence."""
    with wave.open(str(SAMPLE)) as clip:
        rate, pcm = clip.getframerate(), clip.readframes(clip.getnframes())
    call = await recognise(config(emulator.url), pcm, rate)
    assert [final.text for final in call.finals] == ["Hello what is the weather like today."]
    assert len(call.interims) >= 5
    assert call.interims[0].text == "hello"
    durations = [interim.duration for interim in call.interims]
    assert durations == sorted(durations)


async def test_the_emulator_understands_its_own_speech(emulator: SpeechEmulator) -> None:
    """The emulator recognises the words of its own speech, with the time of each word and a confidence."""
    pcm = await emulator.spoken(TEXT)
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


async def test_phrase_lists_change_the_result(emulator: SpeechEmulator) -> None:
    """Ambiguous audio is recognised as the phrase in the client's phrase list."""
    pcm = await emulator.spoken(TEXT)
    plain = await recognise(config(emulator.url), pcm, SPEECH_RATE)
    hinted = await recognise(config(emulator.url), pcm, SPEECH_RATE, phrases=[TEXT])
    assert plain.words != TEXT
    assert hinted.words == TEXT


async def test_silence_is_no_match(emulator: SpeechEmulator) -> None:
    """Silence has the result NoMatch, which is not a failure."""
    call = await recognise(config(emulator.url), silence(1.0))
    assert [final.reason for final in call.finals] == [sdk.ResultReason.NoMatch]
    assert call.finals[0].no_match_details.reason == sdk.NoMatchReason.InitialSilenceTimeout
    assert call.failure is None
    assert not call.interims
    assert not call.detected


async def test_the_language_is_reported(emulator: SpeechEmulator) -> None:
    """The candidate language that the engine has is chosen, and reported with the result."""
    pcm = await emulator.spoken("yes")
    call = await recognise(config(emulator.url), pcm, SPEECH_RATE, languages=["de-DE", "en-GB"], phrases=["yes"])
    assert call.words == "yes"
    assert sdk.AutoDetectSourceLanguageResult(call.finals[0]).language == "en-GB"


async def test_a_language_without_a_model_is_refused(emulator: SpeechEmulator) -> None:
    """A language without a model is refused, with the reason."""
    call = await recognise(config(emulator.url), silence(0.5), languages=["fr-FR"])
    assert call.failure.code == sdk.CancellationErrorCode.BadRequest
    assert "PocketSphinx has no model of fr-FR" in call.failure.error_details


async def test_more_turns_than_processes_are_served(emulator: SpeechEmulator) -> None:
    """Two processes serve ten concurrent turns: none is refused, and no results are mixed up."""
    texts = (TEXT, "ice cream for everyone", "yes", "no", "seven") * 2
    sounds = [await emulator.spoken(text) for text in texts]
    calls = await asyncio.gather(
        *(
            recognise(config(emulator.url), sound, SPEECH_RATE, phrases=text.split())
            for text, sound in zip(texts, sounds, strict=True)
        )
    )
    assert tuple(call.words for call in calls) == texts


async def test_a_disconnect_releases_the_engine(emulator: SpeechEmulator) -> None:
    """Repeated disconnects during a turn do not affect later turns."""
    pcm = await emulator.spoken(TEXT)
    emulator.script.clear()
    for _ in range(3):
        call = Call(config(emulator.url), SPEECH_RATE)
        await call.start()
        call.write(pcm)
        await eventually(lambda call=call: call.interims)  # type: ignore[misc]
        await call.stop()
    await eventually(lambda: all(served.ended for served in emulator.script.served))
    assert {served.outcome for served in emulator.script.served} == {"cancelled"}
    call_after = await recognise(config(emulator.url), pcm, SPEECH_RATE, phrases=TEXT.split())
    assert call_after.words == TEXT


async def test_a_crash_costs_one_turn(emulator: SpeechEmulator, caplog: pytest.LogCaptureFixture) -> None:
    """When a recognition process crashes, its turn fails with an error, and the next turn gets a new process."""
    pcm = await emulator.spoken(TEXT)
    emulator.script.clear()
    call = Call(config(emulator.url), SPEECH_RATE)
    await call.start()
    call.write(pcm)
    await eventually(lambda: call.interims)
    for pid in emulator.recognizer.pool.pids:
        os.kill(pid, signal.SIGKILL)
    await call.finish()
    assert call.failure.code == sdk.CancellationErrorCode.ServiceError
    assert emulator.script.served[0].outcome == "status-500"
    assert "A turn failed." in caplog.text
    call_after = await recognise(config(emulator.url), pcm, SPEECH_RATE, phrases=TEXT.split())
    assert call_after.words == TEXT
