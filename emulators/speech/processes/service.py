"""The side of an engine's process: it loads the engine, limits its memory and serves requests until its input ends."""

import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from emulators.speech.engines import EngineMissing
from emulators.speech.processes.frames import HEAD_BYTES, length, response_frame


class Engine(Protocol):
    """The engine of one process."""

    name: str
    """The engine and its model, as users read it."""

    def respond(self, kind: bytes, body: bytes) -> bytes:
        """The response to a request. An exception ends the process, which is then replaced."""


def serve(load: Callable[[], Engine], memory_bytes: int) -> None:
    """Serve requests with the engine that *load* returns, on standard input and output.

    Args:
        load: raises where the engine cannot run, usually EngineMissing or ImportError; the emulator is sent the reason.
        memory_bytes: memory that the engine may take beyond what it has taken when it is loaded.
    """
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as responses:
        # Messages of libraries go to standard error, where they are not mistaken for responses.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        try:
            engine = load()
        except ModuleNotFoundError as error:
            _send(responses, json.dumps({"missing": f"{error.name} is not installed"}).encode())
            return
        except (EngineMissing, ImportError) as error:
            _send(responses, json.dumps({"missing": str(error)}).encode())
            return
        except Exception as error:  # noqa: BLE001 - the reason is reported, whatever it is
            _send(responses, json.dumps({"missing": f"{type(error).__name__}: {error}"}).encode())
            return
        limit_memory(memory_bytes)
        _send(responses, json.dumps({"name": engine.name}).encode())
        _serve(engine, sys.stdin.buffer, responses)


def limit_memory(more_bytes: int) -> None:
    """Let this process map at most *more_bytes* in addition to now, where the system can do that."""
    # Without the module (Windows), or /proc (macOS), there is no limit.
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = mapped + more_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _serve(engine: Engine, requests: BinaryIO, responses: BinaryIO) -> None:
    while head := requests.read(HEAD_BYTES):
        body = requests.read(length(head))
        _send(responses, engine.respond(head[:1], body))


def _send(responses: BinaryIO, body: bytes) -> None:
    responses.write(response_frame(body))
    responses.flush()
