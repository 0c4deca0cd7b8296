"""Cuts the sound of a clip in pauses, into segments that are recognised one by one.

The cuts depend only on the samples, never on how they arrived: a worker that starts again gets the same segments.
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
"""Share of the longest segment before which there is no cut. Speech of half a minute has a pause in it."""

QUIETEST_DB = -60.0
"""Decibels of full scale: any lower level is silence, however quiet the rest is."""

SILENCE_SHARE = 0.25
"""Share of the range from the room's noise to the voice, in decibels: levels below it count as a pause."""

PAUSE_DB = 5.0
"""Most decibels of a pause above the room's noise: a distant speaker is not a pause of a near one."""

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
    """Bytes of PCM before it."""
    pcm: bytes

    @property
    def start_ms(self) -> int:
        return milliseconds(self.start_bytes, RECOGNITION_RATE)

    @property
    def end_ms(self) -> int:
        return milliseconds(self.start_bytes + len(self.pcm), RECOGNITION_RATE)


class Segmenter:
    """Cuts continuous mono 16-bit PCM at 16 kHz into segments of at most *longest_seconds*."""

    def __init__(self, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._longest = round(longest_seconds / FRAME_SECONDS)
        self._held = bytearray()
        self._start = 0

    def feed(self, pcm: bytes) -> Iterator[Segment]:
        """Take more sound; yields the segments that are complete now."""
        self._held += pcm
        # One frame more than fits shows that the sound continues.
        while len(self._held) > self._longest * FRAME_BYTES:
            levels = levels_db(bytes(self._held[: self._longest * FRAME_BYTES]))
            yield self._taken(cut(levels, round(self._longest * EARLIEST_SHARE)) * FRAME_BYTES)

    def finish(self) -> Iterator[Segment]:
        """The last segment."""
        if self._held:
            yield self._taken(len(self._held))

    def _taken(self, size: int) -> Segment:
        segment = Segment(self._start, bytes(self._held[:size]))
        del self._held[:size]
        self._start += size
        return segment


def cut(levels: Levels, earliest: int) -> int:
    """The number of the frame before which to cut, at least *earliest*: in the middle of the longest pause.

    Without a pause it is in the quietest place.
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
    """The level of each complete frame of *pcm*, without its DC."""
    frames = np.frombuffer(pcm, "<i2").reshape(-1, FRAME_BYTES // SAMPLE_BYTES) / 32_768.0
    power: Levels = frames.var(axis=1)
    return 10 * np.log10(power + 1e-12)


def _longest_run(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """Start and length of the longest run of True; of equal runs the last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    if not starts.size:
        return 0, 0
    lengths = ends - starts
    last = lengths.size - 1 - int(np.argmax(lengths[::-1]))
    return int(starts[last]), int(lengths[last])
