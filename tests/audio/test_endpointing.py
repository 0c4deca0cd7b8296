"""Start and end of utterances in hands-free sound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.sound import silence, voice_like
from voice_core.audio.endpointing import FRAME_BYTES, Endpointer, UtteranceAudio, UtteranceEnd, UtteranceStart
from voice_core.domain.audio import RECOGNITION_RATE, seconds


def cut(pcm: bytes, pieces: int = 640) -> list[bytes]:
    """The utterances in *pcm*; the last may not have ended."""
    endpointer, found = Endpointer(), list[bytes]()
    for start in range(0, len(pcm), pieces):
        for event in endpointer.feed(pcm[start : start + pieces]):
            match event:
                case UtteranceStart(opening):
                    found.append(opening)
                case UtteranceAudio(more):
                    found[-1] += more
                case UtteranceEnd():
                    pass
    return found


def ends(pcm: bytes) -> int:
    endpointer = Endpointer()
    return sum(isinstance(event, UtteranceEnd) for event in endpointer.feed(pcm))


def noise(length: float, level: float, seed: int = 1) -> bytes:
    samples = np.random.default_rng(seed).normal(0, level * 32_768, round(length * RECOGNITION_RATE))
    return np.clip(samples, -32_768, 32_767).astype("<i2").tobytes()


def test_an_utterance_begins_before_it_was_noticed_and_ends_after_a_pause() -> None:
    """An utterance has all of the voice, and little silence."""
    voice = voice_like()
    found = cut(silence(1.0) + voice + silence(2.0))

    assert len(found) == 1
    assert voice[: len(voice) // FRAME_BYTES * FRAME_BYTES] in found[0]
    assert seconds(len(found[0]), RECOGNITION_RATE) < 2.3


def test_a_pause_for_breath_does_not_end_it() -> None:
    """A pause of half a second does not end an utterance, one of a full second does."""
    assert len(cut(voice_like() + silence(0.5) + voice_like() + silence(1.0))) == 1
    assert len(cut(voice_like() + silence(1.0) + voice_like() + silence(1.0))) == 2


def test_speech_that_goes_on_has_no_end() -> None:
    """Continuous speech has no end, however long it is."""
    assert ends(voice_like() * 20) == 0


@pytest.mark.parametrize("level", [0.0, 0.0005, 0.003, 0.02])
def test_a_room_is_not_an_utterance(level: float) -> None:
    """Silence, or noise as loud as a fan, does not begin an utterance."""
    assert cut(noise(5.0, level)) == []


def test_a_click_is_not_an_utterance() -> None:
    """20 ms of noise at full scale do not begin an utterance."""
    assert cut(silence(1.0) + noise(0.02, 0.3) + silence(1.0)) == []


@pytest.mark.parametrize("level", [0.001, 0.01])
def test_a_voice_is_heard_in_a_noisy_room(level: float) -> None:
    """A voice in noise is detected, and so is its end although the noise continues."""
    room = np.frombuffer(noise(5.0, level), "<i2")
    voice = np.frombuffer(silence(2.0) + voice_like() + silence(2.0), "<i2")
    pcm = (room[: len(voice)].astype(np.int32) + voice).clip(-32_768, 32_767).astype("<i2").tobytes()

    found = cut(pcm)
    assert len(found) == 1
    assert 1.0 <= seconds(len(found[0]), RECOGNITION_RATE) < 2.5


@given(st.integers(1, 2000))
def test_it_does_not_matter_how_the_sound_is_cut(pieces: int) -> None:
    """Pieces of any size give the same utterances."""
    pcm = silence(0.3) + voice_like(0.6) + silence(0.9) + voice_like(0.3)

    assert cut(pcm, pieces) == cut(pcm)
