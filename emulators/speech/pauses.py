"""The end of a phrase: after a pause in the speech, or when the phrase gets too long."""

from dataclasses import dataclass

import numpy as np

SPEECH_DBFS = -45.0
"""A window that is louder than this counts as speech."""
WINDOW_SECONDS = 0.02
LONGEST_PHRASE_SECONDS = 20.0
"""Longest phrase. The SDK buffers at most 66 s of audio that no phrase has covered."""
SPEECH_WINDOWS = 3
"""Least number of louder windows; fewer are a click, not speech."""


@dataclass(slots=True)
class Pauses:
    """Measures speech and silence in one audio stream; all times are in seconds of that stream."""

    rate: int
    phrase_start: float = 0.0
    _samples: int = 0
    _loud: int = 0
    _last_loud: float = 0.0

    @property
    def position(self) -> float:
        """The end of the audio so far."""
        return self._samples / self.rate

    @property
    def speech(self) -> bool:
        """Whether this phrase contains speech."""
        return self._loud >= SPEECH_WINDOWS

    @property
    def silence(self) -> float:
        """Length of the silence up to now."""
        return self.position - max(self._last_loud, self.phrase_start)

    @property
    def phrase_seconds(self) -> float:
        return self.position - self.phrase_start

    def hear(self, pcm: bytes) -> None:
        """Add audio."""
        width = 2 * max(1, round(self.rate * WINDOW_SECONDS))
        for start in range(0, len(pcm), width):
            window = pcm[start : start + width]
            self._samples += len(window) // 2
            if dbfs(window) > SPEECH_DBFS:
                self._loud += 1
                self._last_loud = self.position

    def next_phrase(self) -> None:
        self.phrase_start = self.position
        self._loud = 0


def dbfs(pcm: bytes) -> float:
    """Loudness of 16-bit PCM against full scale; silence is -inf."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16).astype(np.float64)
    power = float(np.mean(samples**2)) / 32768**2 if samples.size else 0.0
    return 10 * float(np.log10(power)) if power else -np.inf
