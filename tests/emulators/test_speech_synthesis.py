"""Synthesis by the Speech emulator, through the real SDK."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import azure.cognitiveservices.speech as sdk
import numpy as np
import pytest

from emulators.script import Script, Step
from emulators.serving import serving
from emulators.speech import speech_app
from emulators.speech.engines import ENGINE_RATE, Engines
from emulators.speech.recognizers.sphinx import Sphinx
from emulators.speech.scripted_recognition import SECONDS_PER_WORD, ToneSynthesizer
from emulators.speech.synthesizers.espeak import Espeak
from emulators.speech.voices import VOICES
from fakes.eventually import eventually
from tests.emulators.speech_client import Speech, config, speak, ssml

BAD_REQUEST = sdk.CancellationErrorCode.BadRequest


@pytest.fixture(name="script")
def _script() -> Script:
    return Script()


@pytest.fixture(name="url")
async def _url(script: Script) -> AsyncIterator[str]:
    async with serving(speech_app(Engines(Sphinx(), Espeak()), script)) as url:
        yield url


@pytest.fixture(name="humming_url")
async def _humming_url() -> AsyncIterator[str]:
    """The URL of an emulator that synthesises a tone, which costs nothing."""
    async with serving(speech_app(Engines(Sphinx(), ToneSynthesizer()))) as url:
        yield url


def seconds(speech: Speech) -> float:
    return len(speech.pcm) / 2 / ENGINE_RATE


async def result(future: Any) -> Any:
    """The result of the SDK's *future*."""
    return await asyncio.to_thread(future.get)


async def test_text_becomes_speech(url: str, script: Script) -> None:
    """Words become audio at 24 kHz, in chunks of a tenth of a second."""
    speech = await speak(config(url), ssml("It is sunny in Lisbon."))
    assert speech.failure is None
    assert 1.0 < seconds(speech) < 3.0
    assert {len(chunk) for chunk in speech.chunks[:-1]} == {4_800}
    loudness = np.abs(np.frombuffer(speech.pcm, np.int16)).max()
    assert loudness > 3_000
    assert script.served[0].facts["format"] == "raw-24khz-16bit-mono-pcm"
    assert script.served[0].facts["voice"] == "en-US-JennyNeural"


async def test_a_text_alone_is_spoken_in_the_default_voice(url: str, script: Script) -> None:
    """The SDK's own document for a plain text works too."""
    synthesizer = sdk.SpeechSynthesizer(config(url), audio_config=None)
    spoken = await result(synthesizer.speak_text_async("Hello."))
    assert spoken.reason == sdk.ResultReason.SynthesizingAudioCompleted
    assert script.served[0].facts["voice"] == "en-US-AvaMultilingualNeural"


async def test_every_voice_speaks(url: str) -> None:
    """Every listed voice produces speech."""
    for voice in VOICES:
        speech = await speak(config(url), ssml("one", voice.short_name))
        assert seconds(speech) > 0.2, voice.short_name


async def test_a_document_can_have_several_voices(url: str) -> None:
    """A document is spoken piece by piece, pauses included."""
    document = ssml('One.<break time="1500ms"/>Two.').replace(
        "</speak>", '<voice name="de-DE-KatjaNeural">Drei.</voice></speak>'
    )
    apart = [await speak(config(url), ssml(text)) for text in ("One.", "Two.")]
    apart.append(await speak(config(url), ssml("Drei.", "de-DE-KatjaNeural")))
    together = await speak(config(url), document)
    assert seconds(together) == pytest.approx(1.5 + sum(map(seconds, apart)), abs=0.05)


@pytest.mark.parametrize(
    ("rate", "name"), [(8, "Raw8Khz16BitMonoPcm"), (16, "Raw16Khz16BitMonoPcm"), (48, "Raw48Khz16BitMonoPcm")]
)
async def test_output_has_the_requested_rate(humming_url: str, rate: int, name: str) -> None:
    """Raw audio has the requested sample rate."""
    made = config(humming_url)
    made.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat[name])
    speech = await speak(made, ssml("one two three four five"))
    assert len(speech.pcm) / 2 / (rate * 1000) == pytest.approx(5 * SECONDS_PER_WORD, abs=0.01)


async def test_a_tone_lasts_as_long_as_the_words(humming_url: str) -> None:
    """The tone that replaces words has the pace of speech: 250 words a minute."""
    for words in (5, 15, 60):
        assert seconds(await speak(config(humming_url), ssml("word " * words))) == pytest.approx(words * 60 / 250)


async def test_a_document_without_words_has_no_sound(url: str) -> None:
    """A document without words results in no audio and no failure."""
    speech = await speak(config(url), ssml(" "))
    assert (speech.pcm, speech.failure) == (b"", None)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("<speak", "not well-formed"),
        ("just words", "not well-formed"),
        ("<html/>", "SSML begins with speak"),
        (ssml("hello", "xx-XX-NobodyNeural"), "Unsupported voice xx-XX-NobodyNeural"),
        (ssml("<blink>hello</blink>"), "blink is not understood"),
        (ssml('<break time="soon"/>'), "a break has no time soon"),
        (ssml('<break strength="enormous"/>'), "a break has no strength enormous"),
        ('<speak version="1.0">hello</speak>', "text stands outside a voice"),
        (ssml("a" * (64 << 10)), "Websocket message size cannot exceed 65536 bytes"),
        (ssml('<voice name="en-US-JennyNeural">a</voice>' * 50), "SSML has no more than 50 voices"),
    ],
)
async def test_invalid_documents_are_refused(url: str, script: Script, document: str, reason: str) -> None:
    """An invalid document is refused at once, with the reason and without audio."""
    speech = await speak(config(url), document)
    assert speech.failure.error_code == BAD_REQUEST
    assert "Error code: 1007" in speech.failure.error_details
    assert reason in speech.failure.error_details
    assert not speech.chunks
    assert script.served[0].outcome == "status-400"


async def test_an_unsupported_format_is_refused(url: str) -> None:
    """An output format that the emulator does not support is refused."""
    made = config(url)
    made.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Audio24Khz48KBitRateMonoMp3)
    speech = await speak(made, ssml("hello"))
    assert speech.failure.error_code == BAD_REQUEST
    assert "Unsupported output format audio-24khz-48kbitrate-mono-mp3" in speech.failure.error_details


async def test_speech_ends_after_ten_minutes(humming_url: str) -> None:
    """Speech ends after ten minutes, as in the service, without a failure."""
    made = config(humming_url)
    made.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Raw8Khz16BitMonoPcm)
    speech = await speak(made, ssml('<break time="20s"/>' * 31))
    assert len(speech.pcm) / 2 / 8_000 == pytest.approx(600.0, abs=0.01)
    assert speech.failure is None


async def test_voices_are_listed(url: str) -> None:
    """The SDK reads the list of voices, with the name and the locale of each."""
    synthesizer = sdk.SpeechSynthesizer(sdk.SpeechConfig(host=url, subscription="any"), audio_config=None)
    listed = (await result(synthesizer.get_voices_async())).voices
    assert [voice.short_name for voice in listed] == [voice.short_name for voice in VOICES]
    assert {voice.locale for voice in listed} == {voice.locale for voice in VOICES}


async def test_speech_can_be_interrupted(url: str, script: Script) -> None:
    """A synthesizer that is stopped can be used again at once."""
    script.add("tts", Step(tone=True, real_time_factor=1.0))
    synthesizer = sdk.SpeechSynthesizer(config(url), audio_config=None)
    await result(synthesizer.start_speaking_ssml_async(ssml("word " * 30)))
    await eventually(lambda: script.served and script.served[0].facts["chunks"])
    await result(synthesizer.stop_speaking_async())
    again = await result(synthesizer.speak_ssml_async(ssml("Never mind.")))
    assert again.reason == sdk.ResultReason.SynthesizingAudioCompleted
    assert [served.outcome for served in script.served] == ["cancelled", "done"]
