"""A PocketSphinx process: requests on standard input, responses on standard output.

A request is its kind (one byte), the length of its body (four bytes, big-endian) and the body; a response is the length
and JSON. The process ends when its input is closed.
"""

import json
import os
import sys
from typing import Any, BinaryIO

from emulators.speech.recognizers.listener import RATE, Decoders, PhraseRecognizer
from emulators.speech.resample import Resampler

BEGIN, SOUND, FINISH = b"B", b"S", b"F"
HEAD_BYTES = 5


class Worker:
    """Serves requests, one turn after the other."""

    def __init__(self) -> None:
        self._decoders = Decoders()
        self._phrases: list[str] = []
        self._listener: PhraseRecognizer | None = None
        self._resampler = Resampler(RATE, RATE)

    def respond(self, kind: bytes, body: bytes) -> dict[str, Any]:
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


def serve(requests: BinaryIO, responses: BinaryIO) -> None:
    """Serve requests until the input ends."""
    worker = Worker()
    while head := requests.read(HEAD_BYTES):
        body = requests.read(int.from_bytes(head[1:], "big"))
        response = json.dumps(worker.respond(head[:1], body)).encode()
        responses.write(len(response).to_bytes(4, "big") + response)
        responses.flush()


if __name__ == "__main__":
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as responses:
        # Messages of the decoder itself go to standard error, where they are not mistaken for responses.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin.buffer, responses)
