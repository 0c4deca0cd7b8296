"""The engine of a process in tests: ``scripted_engine OPTIONS``, a JSON object.

Options are ``weights`` (a folder with ``model.bin``, which holds `WEIGHTS`), ``package`` (imported when it is loaded),
``memory_bytes``, ``fatal`` (a text that ends the process), and ``gate`` (a FIFO; every process but the first opens it
while it loads, and so waits).
"""

import hashlib
import importlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from emulators.speech.processes.pool import ProcessPool
from emulators.speech.processes.service import serve
from emulators.speech.processes.weights import verify

WEIGHTS = b"weights"
ECHO, READ, WRITE, DIE_ONCE, DIE, ALLOCATE = b"E", b"R", b"W", b"O", b"D", b"A"
"""Return the body; open the FIFO of that path for reading or writing, which waits until the other is done; die unless
the file of that path exists, which is made; die; allocate that many bytes."""
TRANSCRIBE, PHONEMES, SPEAK = b"T", b"P", b"S"
"""Those of the neural engines; speech is the text's own bytes."""
TRANSCRIPT = "scripted words"


def pool(most: int = 1, **options: Any) -> ProcessPool:
    """A pool of processes with *options*."""
    return ProcessPool(("-m", "tests.emulators.scripted_engine", json.dumps(options)), most)


class Worker:
    name = "scripted engine"

    def __init__(self, weights: str = "", package: str = "", gate: str = "", fatal: str = "", **_: Any) -> None:
        self._fatal = fatal
        if gate:
            first = Path(f"{gate}.first")
            if first.exists():
                os.close(os.open(gate, os.O_RDONLY))
            first.touch()
        if package:
            importlib.import_module(package)
        if weights:
            verify(Path(weights), {"model.bin": hashlib.sha256(WEIGHTS).hexdigest()})

    def respond(self, kind: bytes, body: bytes) -> bytes:
        if kind == TRANSCRIBE:
            words = [{"text": word, "start": 0.0, "seconds": 0.1} for word in TRANSCRIPT.split()]
            return json.dumps({"words": words, "display": TRANSCRIPT, "confidence": 1.0}).encode()
        if self._fatal and body.decode(errors="replace") == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == PHONEMES:
            return json.dumps([body.decode()]).encode()
        if kind in (READ, WRITE):
            os.close(os.open(body, os.O_RDONLY if kind == READ else os.O_WRONLY))
        if kind == ALLOCATE:
            return str(len(bytearray(int(body)))).encode()
        if kind == DIE or (kind == DIE_ONCE and not Path(body.decode()).exists()):
            if body:
                Path(body.decode()).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return body


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    serve(lambda: Worker(**given), given.get("memory_bytes", 1 << 30))
