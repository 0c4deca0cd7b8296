"""Chooses the track that was spoken on: screen recorders write one for the computer, and one for the microphone."""

from collections.abc import Iterable

from voice_core.audio.speech_gate import FLATNESS, FRAME_SAMPLES, LOUD_FRAMES, THRESHOLD_DB, measured
from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES

WINDOW_SECONDS = 30
"""Sound of each track that is compared; it is held in memory."""

LEAST_SHARE = 0.1
"""The first track is chosen that has at least this share of the sound of the one with most: a chime is not speech."""

_FRAME_BYTES = FRAME_SAMPLES * SAMPLE_BYTES
_WINDOW_BYTES = WINDOW_SECONDS * RECOGNITION_RATE * SAMPLE_BYTES


class TrackChoice:
    """Compares mono 16-bit PCM at 16 kHz of several tracks, a window at a time, until one of them has sound."""

    def __init__(self, tracks: int) -> None:
        self._held = [bytearray() for _ in range(tracks)]
        self._passed = [0] * tracks
        """Bytes of silence that are already passed on, and that the track has not delivered yet."""

    @property
    def full(self) -> bool:
        """Whether a window is complete."""
        return any(len(held) >= _WINDOW_BYTES for held in self._held)

    def add(self, track: int, pcm: bytes) -> None:
        """Hold more sound of a track."""
        known = min(self._passed[track], len(pcm))
        self._passed[track] -= known
        self._held[track] += pcm[known:]

    def window(self, candidates: Iterable[int], *, final: bool) -> tuple[int | None, bytes]:
        """The track that has sound, and its window. Without one, a window of silence, or if *final* any track."""
        sound = {track: audible_frames(bytes(self._held[track])) for track in candidates}
        most = max(sound.values())
        if most >= LOUD_FRAMES or (final and most):
            chosen = next(track for track, frames in sound.items() if frames >= LEAST_SHARE * most)
            return chosen, bytes(self._held[chosen])
        longest = max(sound, key=lambda track: len(self._held[track]))
        silence = bytes(self._held[longest])
        for track, held in enumerate(self._held):
            self._passed[track] += max(0, len(silence) - len(held))
            del held[: len(silence)]
        return longest if final else None, silence


def audible_frames(pcm: bytes) -> int:
    """Number of frames of 20 ms that are as loud as speech and not like noise."""
    whole = len(pcm) - len(pcm) % _FRAME_BYTES
    if not whole:
        return 0
    levels, flatness = measured(pcm[:whole])
    return int(((levels >= THRESHOLD_DB) & (flatness <= FLATNESS)).sum())
