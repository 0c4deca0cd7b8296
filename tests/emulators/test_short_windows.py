"""Whisper's windows: short for short phrases, and whole where that failed. The model is a stand-in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from emulators.speech.recognizers.short_windows import RATE, ShortWindows

WHOLE = 3_000


@dataclass(frozen=True)
class Segment:
    tokens: list[int] = field(default_factory=lambda: [1, 2, 3])
    avg_logprob: float = -0.3
    compression_ratio: float = 1.1


class Model:
    """Encodes as faster-whisper does, and finds *first* in the first window."""

    def __init__(self, *first: Segment) -> None:
        self.windows: list[int] = []
        self._found = [list(first)]

    def transcribe(self, samples: Any, **_options: Any) -> tuple[Iterator[Segment], None]:
        features = np.zeros((80, WHOLE))
        features[:, : samples.size * 100 // RATE] = 1.0
        self.encode(features)
        return iter(self._found.pop() if self._found else [Segment()]), None

    def encode(self, features: Any) -> None:
        self.windows.append(features.shape[1])


def windows(seconds: float, *first: Segment) -> list[int]:
    """The lengths of the windows in which sound of *seconds* is transcribed, in frames."""
    model = Model(*first)
    ShortWindows(model).segments(np.zeros(round(seconds * RATE), np.float32), {})
    return model.windows


@pytest.mark.parametrize(("seconds", "frames"), [(2.0, 1_500), (14.5, 1_550), (20.0, 2_100), (30.0, 3_000)])
def test_the_window_is_little_longer_than_the_sound(seconds: float, frames: int) -> None:
    """A second of silence follows, and no window is shorter than 15 s."""
    assert windows(seconds, Segment()) == [frames]


@pytest.mark.parametrize(
    "failure",
    [[], [Segment(avg_logprob=-1.2)], [Segment(), Segment(compression_ratio=2.5)], [Segment(tokens=[1] * 36)]],
    ids=["empty", "improbable", "repetitive", "endless"],
)
def test_a_transcript_that_may_be_wrong_is_made_again(failure: list[Segment]) -> None:
    """An empty, improbable, repetitive or endless transcript is made again in a window of 30 s."""
    assert windows(2.0, *failure) == [1_500, WHOLE]
