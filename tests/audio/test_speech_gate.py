import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.espeak import spoken
from tests.audio.sounds import Signal, pcm16
from voice_core.audio.speech_gate import SpeechGate

SECONDS = 3
T = np.arange(16_000 * SECONDS) / 16_000
NOISE = np.random.default_rng(3).standard_normal(len(T))


def at(sound: Signal, decibels: float) -> Signal:
    """*sound* at this level (root mean square, below full scale)."""
    level = 10 ** (decibels / 20) / float(np.sqrt(np.mean(sound**2)))
    return np.clip(sound * level, -1, 1)


def opens(sound: Signal, chunk: int = 640) -> bool:
    gate, pcm = SpeechGate(), pcm16(sound)
    return any(gate.feed(pcm[start : start + chunk]) for start in range(0, len(pcm), chunk))


def click(amplitude: float) -> Signal:
    sound = np.zeros(len(T))
    sound[20_000:20_200] = amplitude * np.exp(-np.arange(200) / 40)
    return sound


@pytest.mark.parametrize("gain", [-10, -20, -30, -40, -46])
@pytest.mark.parametrize("text", ["go", "yes", "What is the weather like?", "she sells sea shells"])
def test_speech_opens_it_at_any_gain(text: str, gain: float) -> None:
    """Words open the gate, shouted or whispered into a phone at arm's length."""
    assert opens(at(spoken(text), gain))


@pytest.mark.parametrize("ratio", [20, 10, 5, 0])
@pytest.mark.parametrize("lead", [0, 2])
def test_speech_opens_it_in_noise(ratio: float, lead: int) -> None:
    """Words open the gate in noise of their own level, even when the noise came first."""
    speech = np.concatenate([np.zeros(16_000 * lead), at(spoken("call the office"), -30)])
    assert opens(speech + at(np.resize(NOISE, len(speech)), -30 - ratio))


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(len(T)),
        np.full(len(T), 0.3),
        at(NOISE, -56),
        at(NOISE, -56) + 0.2,
        click(0.9),
        click(-0.9),
        at(NOISE, -35),
        at(NOISE, -15),
        at(np.sin(2 * np.pi * 50 * T), -20),
        at(np.sin(2 * np.pi * 60 * T) + 0.5 * np.sin(2 * np.pi * 120 * T), -25),
        at(np.sin(2 * np.pi * 440 * T), -55),
    ],
    ids=[
        "silence",
        "DC",
        "faint",
        "faint and DC",
        "click",
        "bump",
        "hiss",
        "loud hiss",
        "50 Hz",
        "60 Hz",
        "faint tone",
    ],
)
def test_what_is_no_speech_leaves_it_closed(sound: Signal) -> None:
    """Silence, faint noise, clicks, steady hiss and mains hum do not open the gate."""
    assert not opens(sound)


@given(st.integers(1, 5000), st.sampled_from([-25.0, -45.0, -58.0]))
@settings(max_examples=30, deadline=None)
def test_pieces_do_not_matter(chunk: int, level: float) -> None:
    """The result does not depend on the size of pieces, cut within samples too."""
    sound = at(spoken("yes"), level)
    assert opens(sound, chunk) == opens(sound)


def test_it_stays_open() -> None:
    """After speech, silence does not close the gate."""
    gate = SpeechGate()
    assert gate.feed(pcm16(at(spoken("yes"), -20)))
    assert gate.feed(bytes(64_000))
    assert gate.opened
