"""The process in which PocketSphinx listens: requests on standard input, answers on standard output.

A request is its kind (one byte), the length of its body (four bytes, big-endian) and the body; an answer is the length
and JSON. The process ends with its input.
"""

import json
import os
import sys
from typing import Any, BinaryIO

from emulators.speech.recognizers.listener import RATE, Decoders, Listener
from emulators.speech.resample import Resampler

BEGIN, SOUND, FINISH = b"B", b"S", b"F"
HEAD_BYTES = 5


class Worker:
    """Answers requests, one turn after the other."""

    def __init__(self) -> None:
        self._decoders = Decoders()
        self._phrases: list[str] = []
        self._listener: Listener | None = None
        self._resampler = Resampler(RATE, RATE)

    def answer(self, kind: bytes, body: bytes) -> dict[str, Any]:
        if kind == BEGIN:
            return self._begin(**json.loads(body))
        if self._listener is None:
            self._listener = Listener(self._decoders.hearing(self._phrases))
        if kind == SOUND:
            return {"text": self._listener.hear(self._resampler.resample(body))}
        heard, self._listener = self._listener.finish(), None
        return heard

    def _begin(self, rate: int, phrases: list[str]) -> dict[str, Any]:
        """A new turn; what the last one left unfinished is dropped."""
        if self._listener is not None:
            self._listener.stop()
        self._listener = None
        self._phrases = phrases
        self._resampler = Resampler(rate, RATE)
        return {}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the input ends."""
    worker = Worker()
    while head := requests.read(HEAD_BYTES):
        body = requests.read(int.from_bytes(head[1:], "big"))
        answer = json.dumps(worker.answer(head[:1], body)).encode()
        answers.write(len(answer).to_bytes(4, "big") + answer)
        answers.flush()


if __name__ == "__main__":
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        # The decoder's own messages go where they cannot be taken for answers.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin.buffer, answers)
