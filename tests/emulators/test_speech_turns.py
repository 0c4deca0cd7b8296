"""The Speech emulator's results for an audio stream, in the protocol of the service; the words are scripted."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import azure.cognitiveservices.speech as sdk
import pytest

from emulators.script import Script, Step
from emulators.serving import serving
from emulators.speech import speech_app
from emulators.speech.engines import Engines, Recognition, RecognitionResult, Word
from emulators.speech.phrases import TICKS_PER_SECOND
from emulators.speech.scripted_recognition import ToneSynthesizer
from fakes.sound import silence, voice_like
from tests.emulators.speech_client import config, recognise, recognise_once

WORDS = "what is the weather like in Lisbon"
SECOND = voice_like(1.0)
PAUSE = silence(1.0)


class CountingRecognizer:
    """Recognises a number in every phrase, counting up, with fixed times of the words."""

    languages: tuple[str, ...] = ("en-US",)

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncIterator[Recognition]:
        yield CountingRecognition()

    async def close(self) -> None:
        """Nothing was started."""


class CountingRecognition:
    def __init__(self) -> None:
        self._phrases = 0

    async def hear(self, pcm: bytes) -> str:
        return f"number {self._phrases}"

    async def finish(self) -> RecognitionResult:
        self._phrases += 1
        return RecognitionResult(
            (Word("number", 0.25, 0.5, 0.75), Word(str(self._phrases), 0.75, 0.25, 0.5)), confidence=0.625
        )


@pytest.fixture(name="script")
def _script() -> Script:
    return Script()


@pytest.fixture(name="url")
async def _url(script: Script) -> AsyncIterator[str]:
    async with serving(speech_app(Engines(CountingRecognizer(), ToneSynthesizer()), script)) as url:
        yield url


async def test_interims_come_before_the_final(url: str, script: Script) -> None:
    """Interims grow word by word, the final has all words, and times are those of the audio."""
    script.add("stt", Step(text=WORDS))
    call = await recognise(config(url), SECOND + SECOND)
    texts = [interim.text for interim in call.interims]
    assert texts == [" ".join(WORDS.split()[: n + 1]) for n in range(len(texts))]
    assert len(texts) == 6
    assert [final.text for final in call.finals] == [WORDS]
    assert call.finals[0].duration == 2 * TICKS_PER_SECOND
    assert call.failure is None


async def test_speech_has_a_start_and_an_end(url: str, script: Script) -> None:
    """The emulator reports where speech begins, and where the audio ends."""
    script.add("stt", Step(text=WORDS))
    call = await recognise(config(url), silence(0.5) + SECOND)
    (start, begun), (end, ended) = call.detected
    assert (start, end) == ("start", "end")
    assert 0.5 <= begun / TICKS_PER_SECOND <= 0.7
    assert ended / TICKS_PER_SECOND == pytest.approx(1.5)


@pytest.mark.parametrize("extra_bytes", [0, 2, 38, 1234, 3198])
async def test_all_sound_is_acknowledged(url: str, script: Script, extra_bytes: int) -> None:
    """Results cover audio of any length completely, so that the SDK does not send any of it again."""
    script.add("stt", Step(text=WORDS, repeat=True))
    pcm = SECOND + SECOND[:extra_bytes]
    call = await recognise(config(url), pcm)
    assert len(call.finals) == 1
    assert call.finals[0].duration >= len(pcm) / 2 / 16_000 * TICKS_PER_SECOND
    assert len(script.served) == 1


async def test_a_pause_ends_a_phrase(url: str) -> None:
    """Each stretch of speech is a separate phrase, which begins where the one before ended."""
    call = await recognise(config(url), SECOND + PAUSE + SECOND + PAUSE + SECOND)
    assert [final.text for final in call.finals] == ["Number 1.", "Number 2.", "Number 3."]
    ends = [final.offset + final.duration for final in call.finals]
    assert [final.offset for final in call.finals[1:]] == ends[:-1]
    assert ends[-1] == 5 * TICKS_PER_SECOND


async def test_the_pause_can_be_set(url: str) -> None:
    """A client can set a longer pause, and gets longer phrases."""
    with_longer_pause = config(url)
    with_longer_pause.set_property(sdk.PropertyId.Speech_SegmentationSilenceTimeoutMs, "1500")
    call = await recognise(with_longer_pause, SECOND + PAUSE + SECOND)
    assert [final.text for final in call.finals] == ["Number 1."]


async def test_recognise_once_ends_after_one_phrase(url: str) -> None:
    """A request to recognise once returns the first phrase and ignores the rest."""
    result = await recognise_once(config(url), SECOND + PAUSE + SECOND)
    assert result.reason == sdk.ResultReason.RecognizedSpeech
    assert result.text == "Number 1."
    assert result.duration < 2 * TICKS_PER_SECOND


async def test_detailed_output_has_words_and_confidence(url: str) -> None:
    """A detailed phrase has its confidence, and the time and confidence of each word."""
    detailed = config(url)
    detailed.output_format = sdk.OutputFormat.Detailed
    detailed.request_word_level_timestamps()
    call = await recognise(detailed, SECOND + PAUSE + SECOND)
    (best,) = json.loads(call.finals[1].json)["NBest"]
    assert (best["Display"], best["Lexical"], best["Confidence"]) == ("Number 2.", "number 2", 0.625)
    offset = call.finals[1].offset
    assert best["Words"] == [
        {"Word": "number", "Offset": offset + 2_500_000, "Duration": 5_000_000, "Confidence": 0.75},
        {"Word": "2", "Offset": offset + 7_500_000, "Duration": 2_500_000, "Confidence": 0.5},
    ]


async def test_scripted_words_have_times(url: str, script: Script) -> None:
    """Scripted words lie within the last phrase of the sound, however long that is."""
    script.add("stt", Step(text=WORDS))
    detailed = config(url)
    detailed.output_format = sdk.OutputFormat.Detailed
    call = await recognise(detailed, SECOND * 24)
    assert [final.text for final in call.finals] == ["", WORDS]
    final = call.finals[1]
    words = json.loads(final.json)["NBest"][0]["Words"]
    assert words[0]["Offset"] == final.offset == 20 * TICKS_PER_SECOND
    assert words[-1]["Offset"] + words[-1]["Duration"] == pytest.approx(24 * TICKS_PER_SECOND, abs=10)


async def test_simple_output_has_only_text(url: str) -> None:
    """A phrase without details is only its text."""
    call = await recognise(config(url), SECOND)
    assert call.finals[0].text == "Number 1."
    assert "NBest" not in json.loads(call.finals[0].json)


async def test_silence_after_speech_is_no_phrase(url: str) -> None:
    """Silence after speech is not a separate phrase."""
    call = await recognise(config(url), SECOND + silence(3.0))
    assert [final.text for final in call.finals] == ["Number 1."]


def _dictating(made: "sdk.SpeechConfig") -> None:
    made.enable_dictation()


@pytest.mark.parametrize(
    ("setup", "mode", "form"),
    [
        (lambda _: None, "CONVERSATION", "endpoint"),
        (_dictating, "DICTATION", "endpoint"),
        (lambda _: None, "CONVERSATION", "host"),
        (_dictating, "DICTATION", "host"),
    ],
)
async def test_every_address_is_served(
    url: str, script: Script, setup: Callable[[Any], None], mode: str, form: str
) -> None:
    """Conversation and dictation work at a resource's endpoint, and at the older paths of a host."""
    script.add("stt", Step(text=WORDS))
    made = sdk.SpeechConfig(subscription="any", **{form: url})
    setup(made)
    assert (await recognise(made, SECOND)).words == WORDS.lower()
    assert script.served[0].facts["mode"] == mode


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
async def test_every_sample_rate_is_accepted(url: str, script: Script, rate: int) -> None:
    """Audio is accepted at its own sample rate; the SDK does not change it."""
    script.add("stt", Step(text=WORDS))
    call = await recognise(config(url), voice_like(0.5, rate), rate)
    assert call.words == WORDS.lower()
    assert script.served[0].facts["rate"] == rate
    assert script.served[0].facts["audio_seconds"] == pytest.approx(0.5)


async def test_the_options_of_a_request_are_logged(url: str, script: Script) -> None:
    """The log has the phrases and languages of a request, its seconds of audio and its number of interims."""
    script.add("stt", Step(text=WORDS))
    await recognise(config(url), SECOND, languages=["de-DE", "fr-FR"], phrases=["Lisbon", "Ōkami"])
    facts = script.served[0].facts
    assert facts["languages"] == ["de-DE", "fr-FR"]
    assert facts["phrases"] == ["Lisbon", "Ōkami"]
    assert (facts["audio_seconds"], facts["interims"]) == (pytest.approx(1.0), 3)
