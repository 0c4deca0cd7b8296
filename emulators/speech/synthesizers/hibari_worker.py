"""The engine of a hibari process: requests for a text's phonemes, sentence by sentence, and for a sentence's speech."""

import importlib
import json
import re
from pathlib import Path
from textwrap import wrap

import numpy as np

from emulators.speech.processes.service import serve
from emulators.speech.processes.weights import verify

WEIGHTS = {
    "hibari.onnx": "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
    "oov.onnx": "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
    "tagger.json.gz": "d2da7502284bbbe45d49e0b7ce3ce67bdab82254150f4317f1b8559b4d38d0eb",
}
# Those of hibari-tts 0.2.1.
"""SHA-256 of the voice heart, of the model that pronounces unknown words, and of the tagger of parts of speech."""
PHONEMES, SPEAK = b"P", b"S"
MEMORY_BYTES = 3 << 28
"""Memory beyond the loaded voice. `MOST_PHONEMES` take less than half of it."""
MOST_PHONEMES = 400
"""Phonemes of one request, about 20 s of speech; a sentence without punctuation could have any number."""
SEED = 0
"""The same text makes the same sound."""
LONG_NUMBER = re.compile(r"\d{16,}")
"""Numbers that are read digit by digit: hibari has no words for those of 37 digits and more, and fails."""


class Worker:
    """Serves requests; each is complete in itself."""

    name = "hibari heart"

    def __init__(self) -> None:
        hibari = importlib.import_module("hibari")
        verify(Path(hibari.__path__[0]) / "assets", WEIGHTS)
        self._voice = hibari.Hibari()
        self._voice("One moment.")  # the first text loads the dictionaries

    def respond(self, kind: bytes, body: bytes) -> bytes:
        if kind == PHONEMES:
            sentences = self._voice.phonemize(LONG_NUMBER.sub(_digits, body.decode()))
            return json.dumps([piece for sentence in sentences for piece in wrap(sentence, MOST_PHONEMES)]).encode()
        wave = self._voice.from_phonemes(body.decode(), seed=SEED)
        return bytes((np.clip(wave, -1.0, 1.0) * 32767.0).astype("<i2"))


def _digits(number: re.Match[str]) -> str:
    return " ".join(number[0])


if __name__ == "__main__":
    serve(Worker, MEMORY_BYTES)
