"""The decoder server, as the worker process sees it."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from voice_core.audio.decoder_process.decoder_connection import DecoderConnection
from voice_core.audio.decoder_process.server_messages import EXIT, FORK, KILL, READY, REQUEST

START_SECONDS = 60.0
"""Python and FFmpeg are loaded in 0.3 s; a busy small instance takes many times that."""

CLOSE_SECONDS = 5.0
"""A server ends as soon as it notices that its socket is closed."""

_MODULE = "voice_core.audio.decoder_process.server_main"
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL")
"""Variables of the environment that the server gets; none of them holds a secret."""


class ServerEnded(Exception):
    """The decoder server has ended, or could not be started."""


class DecoderServer:
    """A running decoder server."""

    def __init__(self, process: "subprocess.Popen[bytes]", control: socket.socket) -> None:
        self._process = process
        self._control = control
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._exits: dict[int, asyncio.Future[int]] = {READY: self._loop.create_future()}
        self._latest = READY
        self.running = True
        control.settimeout(0)
        self._loop.add_reader(control.fileno(), self._receive)

    @classmethod
    async def start(cls) -> "DecoderServer":
        """Start a server and wait until it can fork.

        Raises:
            ServerEnded: this system does not allow it.
        """
        if not (hasattr(socket, "send_fds") and hasattr(os, "fork")):
            raise ServerEnded("this system has no fork")
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.to_thread(_popen, theirs)
        except OSError as error:
            ours.close()
            raise ServerEnded(str(error)) from error
        server = cls(process, ours)
        try:
            async with asyncio.timeout(START_SECONDS):
                await server._exits[READY]
        except (TimeoutError, ServerEnded) as error:
            await server.close()
            raise ServerEnded(str(error) or "it did not start in time") from error
        except BaseException:
            await server.close()
            raise
        return server

    @property
    def pid(self) -> int:
        return self._process.pid

    async def fork(self) -> DecoderConnection:
        """Fork a decoder process.

        Raises:
            OSError: this process has no descriptors left.
            ServerEnded: it cannot be reached.
        """
        self._latest += 1
        number, exited = self._latest, self._loop.create_future()
        exited.add_done_callback(lambda done: done.cancelled() or done.exception())  # read, so never reported as lost
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._send(REQUEST.pack(FORK, number), theirs)
            self._exits[number] = exited
            return await DecoderConnection.open(partial(self.kill, number), exited, ours)
        except BaseException:
            ours.close()
            raise

    def kill(self, number: int) -> None:
        """Kill the decoder process *number*, if it still runs."""
        if number in self._exits:
            with contextlib.suppress(ServerEnded):
                self._send(REQUEST.pack(KILL, number))

    async def close(self) -> None:
        """End the server and all of its decoder processes."""
        self._end()
        await asyncio.to_thread(_wait, self._process)

    def _send(self, message: bytes, passed: socket.socket | None = None) -> None:
        if not self.running:
            raise ServerEnded("it has ended")
        try:
            socket.send_fds(self._control, [message], [passed.fileno()] if passed else [])
        except OSError as error:
            self._end()
            raise ServerEnded(str(error)) from error

    def _receive(self) -> None:
        try:
            data = self._control.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        self._received += data
        while len(self._received) >= EXIT.size:
            number, status = EXIT.unpack(self._received[: EXIT.size])
            del self._received[: EXIT.size]
            exited = self._exits.pop(number, None)
            if exited is not None and not exited.done():
                exited.set_result(status)

    def _end(self) -> None:
        if not self.running:
            return
        self.running = False
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        for exited in self._exits.values():
            if not exited.done():
                exited.set_exception(ServerEnded("it has ended"))
        self._exits.clear()
        self._process.poll()


def _wait(process: "subprocess.Popen[bytes]") -> None:
    """Wait until a server has ended whose socket is closed; one that hangs is killed."""
    try:
        process.wait(CLOSE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _popen(theirs: socket.socket) -> "subprocess.Popen[bytes]":
    """Start the server in the worker's session, so that its niceness counts, but without the terminal's signals."""
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-S", "-m", _MODULE, str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        env=_environment(),
        process_group=0,
    )


def _environment() -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return kept | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
