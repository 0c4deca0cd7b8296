"""Start and end of utterances in continuous sound, for hands-free turns."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES

FRAME_SECONDS = 0.02
FRAME_BYTES = round(FRAME_SECONDS * RECOGNITION_RATE) * SAMPLE_BYTES

QUIETEST_DB = -50.0
"""Least level of speech, decibels of full scale, as in `speech_gate`."""

ABOVE_NOISE_DB = 9.0
"""Least level of speech above the room's noise, decibels."""

NOISE_RISE_DB = 0.06
"""Decibels a frame: the estimate of the noise rises by at most 3 decibels a second, and falls at once."""

LOUDEST_NOISE_DB = -30.0
"""Highest estimate of the noise, decibels: louder sound is continued speech, not a room."""

CROSSINGS = 0.4
"""Sign changes a sample: white noise has 0.5, voices under 0.15; hissing consonants are next to voiced sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointingTimes:
    """Times of endpointing, seconds."""

    begin: float = 0.1
    """Speech within `window` that begins an utterance: a word has it, a click has not."""
    window: float = 0.3
    end: float = 0.7
    """Silence that ends an utterance."""
    before: float = 0.3
    """Sound before the detected start that belongs to the utterance."""


@dataclass(frozen=True, slots=True)
class UtteranceStart:
    """An utterance has begun, with this sound: mono 16-bit PCM at 16 kHz."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class UtteranceAudio:
    """The utterance continues with this sound."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class UtteranceEnd:
    """The utterance has ended."""


class Endpointer:
    """Cuts continuous sound, mono 16-bit PCM at 16 kHz, into utterances."""

    def __init__(self, times: EndpointingTimes | None = None) -> None:
        self._times = times or EndpointingTimes()
        self._rest = b""
        self._noise_db = QUIETEST_DB - ABOVE_NOISE_DB
        self._speaking = False
        self._quiet_frames = 0
        window = _frames(self._times.window)
        self._recent: deque[bool] = deque(maxlen=window)
        self._before: deque[bytes] = deque(maxlen=window + _frames(self._times.before))

    def feed(self, pcm: bytes) -> Iterator[UtteranceStart | UtteranceAudio | UtteranceEnd]:
        """Take more sound; yields the utterances in it."""
        held = self._rest + pcm
        whole = len(held) - len(held) % FRAME_BYTES
        self._rest = held[whole:]
        for start in range(0, whole, FRAME_BYTES):
            yield from self._hear(held[start : start + FRAME_BYTES])

    def _hear(self, frame: bytes) -> Iterator[UtteranceStart | UtteranceAudio | UtteranceEnd]:
        speech = self._is_speech(frame)
        if self._speaking:
            yield UtteranceAudio(frame)
            self._quiet_frames = 0 if speech else self._quiet_frames + 1
            if self._quiet_frames >= _frames(self._times.end):
                self._rest_now()
                yield UtteranceEnd()
            return
        self._before.append(frame)
        self._recent.append(speech)
        if sum(self._recent) >= _frames(self._times.begin):
            self._speaking = True
            yield UtteranceStart(b"".join(self._before))

    def _rest_now(self) -> None:
        self._speaking, self._quiet_frames = False, 0
        self._recent.clear()
        self._before.clear()

    def _is_speech(self, frame: bytes) -> bool:
        level_db, crossings = measured(frame)
        rising = min(self._noise_db + NOISE_RISE_DB, LOUDEST_NOISE_DB)
        self._noise_db = min(level_db, rising) if level_db > -90.0 else self._noise_db
        return level_db >= max(QUIETEST_DB, self._noise_db + ABOVE_NOISE_DB) and crossings < CROSSINGS


def measured(frame: bytes) -> tuple[float, float]:
    """Level (decibels below full scale) and sign changes a sample of mono 16-bit PCM."""
    samples = np.frombuffer(frame, "<i2").astype(np.float32) / 32_768
    samples -= samples.mean()
    level = 10 * np.log10(float(np.mean(samples**2)) + 1e-12)
    return float(level), float(np.mean(np.signbit(samples[1:]) != np.signbit(samples[:-1])))


def _frames(seconds: float) -> int:
    return round(seconds / FRAME_SECONDS)
