"""Long sound cut where nobody speaks, into pieces that recognition takes one by one.

Where the cuts fall depends on the samples alone, never on how they arrived: who begins again finds the same pieces.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES, milliseconds

FRAME_SECONDS = 0.02
FRAME_BYTES = round(FRAME_SECONDS * RECOGNITION_RATE) * SAMPLE_BYTES

LONGEST_SECONDS = 60.0
EARLIEST_SHARE = 0.5
"""Of the longest piece: no cut comes before. Speech of half a minute has a pause in it."""

QUIETEST_DB = -60.0
"""Decibels below full scale: all below is silence, however quiet the rest."""

SILENCE_SHARE = 0.25
"""Of the way from the room's noise to the voice, in decibels: what is below counts as a pause."""

PAUSE_DB = 5.0
"""Above the room's noise, at most: of two who speak, the one who is far away is no pause of the other's."""

PAUSE_FRAMES = 10
"""200 ms: shorter gaps are inside words, as before a plosive."""

SMOOTHED_FRAMES = 5
"""100 ms: where there is no pause, the quietest stretch of that length is the best place."""

Levels = NDArray[np.float64]
"""Decibels below full scale, one a frame."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the sound, mono 16-bit PCM at 16 kHz."""

    start_bytes: int
    """Of PCM before it."""
    pcm: bytes

    @property
    def start_ms(self) -> int:
        return milliseconds(self.start_bytes, RECOGNITION_RATE)

    @property
    def end_ms(self) -> int:
        return milliseconds(self.start_bytes + len(self.pcm), RECOGNITION_RATE)


class Segmenter:
    """Cuts endless mono 16-bit PCM at 16 kHz into segments of at most *longest_seconds*."""

    def __init__(self, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._longest = round(longest_seconds / FRAME_SECONDS)
        self._held = bytearray()
        self._start = 0

    def feed(self, pcm: bytes) -> Iterator[Segment]:
        """The segments that are complete after some more sound."""
        self._held += pcm
        # One frame more than fits shows that the sound goes on.
        while len(self._held) > self._longest * FRAME_BYTES:
            levels = levels_db(bytes(self._held[: self._longest * FRAME_BYTES]))
            yield self._taken(cut(levels, round(self._longest * EARLIEST_SHARE)) * FRAME_BYTES)

    def finish(self) -> Iterator[Segment]:
        """What is left at the end."""
        if self._held:
            yield self._taken(len(self._held))

    def _taken(self, size: int) -> Segment:
        segment = Segment(self._start, bytes(self._held[:size]))
        del self._held[:size]
        self._start += size
        return segment


def cut(levels: Levels, earliest: int) -> int:
    """The frame to cut before, not before the one numbered *earliest*: the middle of the longest pause.

    Where nobody pauses it is the quietest place.
    """
    floor, voice = np.percentile(levels, (10, 95))
    floor = max(float(floor), QUIETEST_DB)
    silent = levels < floor + min(SILENCE_SHARE * max(float(voice) - floor, 0.0), PAUSE_DB)
    start, length = _longest_run(silent[earliest:])
    if length >= PAUSE_FRAMES:
        return earliest + start + length // 2
    smoothed = np.convolve(levels[earliest:], np.full(SMOOTHED_FRAMES, 1 / SMOOTHED_FRAMES), "valid")
    return earliest + int(np.argmin(smoothed)) + SMOOTHED_FRAMES // 2


def levels_db(pcm: bytes) -> Levels:
    """How loud each whole frame of *pcm* is, its DC taken out."""
    frames = np.frombuffer(pcm, "<i2").reshape(-1, FRAME_BYTES // SAMPLE_BYTES) / 32_768.0
    power: Levels = frames.var(axis=1)
    return 10 * np.log10(power + 1e-12)


def _longest_run(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """Where the longest run of True begins, the last of equals, and its length."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    if not starts.size:
        return 0, 0
    lengths = ends - starts
    last = lengths.size - 1 - int(np.argmax(lengths[::-1]))
    return int(starts[last]), int(lengths[last])
