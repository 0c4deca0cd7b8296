"""The longest pause within an utterance."""

import numpy as np

from voice_core.audio.speech_gate import FRAME_SAMPLES, THRESHOLD_DB
from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES

QUIET_DB = 25.0
"""A frame so many decibels below the loudest one so far belongs to a pause: allows for noise in the room."""

_FRAME_BYTES = FRAME_SAMPLES * SAMPLE_BYTES


class LongestPause:
    """The longest stretch of mono 16-bit PCM at 16 kHz in which no frame of 20 ms is as loud as speech."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._rest = b""
        self._loudest_db = THRESHOLD_DB
        self._frames = 0

    def feed(self, pcm: bytes) -> None:
        """Take more sound; the rest of an incomplete frame waits for the next piece."""
        held = self._rest + pcm
        whole = len(held) - len(held) % _FRAME_BYTES
        self._rest = held[whole:]
        if not whole:
            return
        samples = np.frombuffer(held[:whole], "<i2").reshape(-1, FRAME_SAMPLES) / 32_768.0
        levels = 10 * np.log10(np.mean(samples**2, axis=1) + 1e-12)
        self._loudest_db = max(self._loudest_db, float(levels.max()))
        for loud in levels >= max(THRESHOLD_DB, self._loudest_db - QUIET_DB):
            self._frames = 0 if loud else self._frames + 1
            self.seconds = max(self.seconds, self._frames * FRAME_SAMPLES / RECOGNITION_RATE)
