"""The engine of a PocketSphinx process."""

import json
from typing import Any

from emulators.speech.processes.service import serve
from emulators.speech.recognizers.listener import RATE, Decoders, PhraseRecognizer
from emulators.speech.resample import Resampler

BEGIN, SOUND, FINISH = b"B", b"S", b"F"
MEMORY_BYTES = 1 << 30
"""Memory beyond the general decoder: the decoders of four phrase lists take about 100 MB each."""


class Worker:
    """Serves requests, one turn after the other."""

    name = "PocketSphinx"

    def __init__(self) -> None:
        self._decoders = Decoders()
        self._phrases: list[str] = []
        self._listener: PhraseRecognizer | None = None
        self._resampler = Resampler(RATE, RATE)

    def respond(self, kind: bytes, body: bytes) -> bytes:
        return json.dumps(self.result(kind, body)).encode()

    def result(self, kind: bytes, body: bytes) -> dict[str, Any]:
        if kind == BEGIN:
            return self._begin(**json.loads(body))
        if self._listener is None:
            self._listener = PhraseRecognizer(self._decoders.hearing(self._phrases))
        if kind == SOUND:
            return {"text": self._listener.hear(self._resampler.resample(body))}
        result, self._listener = self._listener.finish(), None
        return result

    def _begin(self, rate: int, phrases: list[str]) -> dict[str, Any]:
        """Begin a turn; an unfinished phrase of the last turn is dropped."""
        if self._listener is not None:
            self._listener.stop()
        self._listener = None
        self._phrases = phrases
        self._resampler = Resampler(rate, RATE)
        return {}


if __name__ == "__main__":
    serve(Worker, MEMORY_BYTES)
