"""Whisper on windows that are not much longer than the sound.

Whisper's encoder takes most of the time of a short phrase, and faster-whisper pads every phrase to 30 s for it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

RATE = 16_000
"""Hertz of the model."""
FRAMES_PER_SECOND = 100
"""Frames of the spectrogram."""
LEAST_SECONDS = 15
"""Shortest window: the model was trained on 30 s, and it misunderstands and repeats much shorter ones."""
MARGIN_SECONDS = 1
"""Silence after the sound, within the window."""
LEAST_LOGPROB, MOST_COMPRESSION = -1.0, 2.4
"""Mean log probability and compression ratio beyond which Whisper's authors call a transcript a failure."""
TOKENS, TOKENS_PER_SECOND, MOST_TOKENS = 20, 8, 200
"""Most tokens of a short window: more than of any speech, and together with a phrase list less than the model's 448."""


class ShortWindows:
    """Transcribes with *model*, a WhisperModel of faster-whisper, first in a short window.

    A transcript that may be wrong because of it is made again in the whole one.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._encode, model.encode = model.encode, self._encode_window
        self._whole = False

    def segments(self, samples: Any, options: dict[str, Any]) -> list[Any]:
        """The segments of *samples*, float32 at `RATE`."""
        most = min(TOKENS + TOKENS_PER_SECOND * samples.size // RATE, MOST_TOKENS)
        segments = self._transcribe(samples, {**options, "max_new_tokens": most}, whole=False)
        if _failed(segments, most):
            segments = self._transcribe(samples, options, whole=True)
        return segments

    def _transcribe(self, samples: Any, options: dict[str, Any], *, whole: bool) -> list[Any]:
        self._whole = whole
        # No second attempts at higher temperatures: on noise they take six times as long, and find words in it.
        found, _ = self._model.transcribe(
            samples, beam_size=1, temperature=0.0, condition_on_previous_text=False, word_timestamps=True, **options
        )
        return list(found)

    def _encode_window(self, features: Any) -> Any:
        """Encode *features*, padded with zeros to 30 s, without most of the padding."""
        filled = np.flatnonzero(features.any(axis=0))
        frames = int(filled[-1]) + 1 + MARGIN_SECONDS * FRAMES_PER_SECOND if filled.size else 0
        window = max(frames + frames % 2, LEAST_SECONDS * FRAMES_PER_SECOND)
        return self._encode(features if self._whole else features[:, :window])


def _failed(segments: Sequence[Any], most_tokens: int) -> bool:
    """Whether a transcript is empty, improbable, repetitive or endless."""
    return (
        not segments
        or sum(len(segment.tokens) for segment in segments) >= most_tokens
        or any(segment.avg_logprob < LEAST_LOGPROB for segment in segments)
        or any(segment.compression_ratio > MOST_COMPRESSION for segment in segments)
    )
