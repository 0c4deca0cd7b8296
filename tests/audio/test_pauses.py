"""The longest pause within an utterance."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest

from fakes.sound import silence, voice_like
from voice_core.audio.pauses import LongestPause
from voice_core.domain.audio import RECOGNITION_RATE

VOICE = voice_like()


def noise(seconds: float, level: float) -> bytes:
    samples = np.random.default_rng(1).standard_normal(round(seconds * RECOGNITION_RATE)) * level * 32_768
    return samples.astype("<i2").tobytes()


def longest(*pieces: bytes) -> float:
    pause = LongestPause()
    for piece in pieces:
        pause.feed(piece)
    return pause.seconds


@pytest.mark.parametrize(
    ("pieces", "seconds"),
    [
        ((), 0.0),
        ((VOICE,), 0.0),
        ((VOICE, silence(30.0), VOICE, silence(2.0)), 30.0),
        ((silence(5.0), VOICE), 5.0),
        ((VOICE, silence(12.0)), 12.0),
        ((VOICE, noise(8.0, 0.003), VOICE), 8.0),
        ((VOICE, noise(8.0, 0.3), VOICE), 0.0),
    ],
    ids=["nothing", "speech", "pauses", "before", "after", "a quiet room", "a loud one"],
)
def test_the_longest_pause_is_measured(pieces: tuple[bytes, ...], seconds: float) -> None:
    """The longest pause is found anywhere, even with noise in it, and gaps between syllables are not pauses."""
    assert longest(*pieces) == pytest.approx(seconds, abs=0.1)


def test_it_does_not_matter_how_the_sound_was_cut() -> None:
    """Pieces of any size, odd ones included, give the same pause."""
    sound = VOICE + silence(3.0) + VOICE
    cuts = sorted({0, len(sound), *Random(1).choices(range(len(sound)), k=500)})

    assert longest(*(sound[start:end] for start, end in pairwise(cuts))) == longest(sound)
