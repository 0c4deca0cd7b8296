"""The worker's end of the socket to a decoder process."""

import asyncio
import socket
from collections.abc import Callable

from voice_core import timeouts
from voice_core.audio.decoder_process.decoder_frames import (
    HEADER,
    JOB,
    MOST_BYTES,
    TAKEN,
    ConnectionEnded,
    InvalidFrame,
    Job,
    frame,
    parse_header,
)

BEGIN_SECONDS = 5.0
"""Longest time until a process that waits takes a job; it takes a millisecond on an idle machine."""


class DecoderConnection:
    """Frames to and from a decoder process, whose exit status arrives in *exited*; *kill* ends it."""

    def __init__(
        self,
        kill: Callable[[], None],
        exited: asyncio.Future[int],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.kill = kill
        self.exited = exited
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(
        cls, kill: Callable[[], None], exited: asyncio.Future[int], ours: socket.socket
    ) -> "DecoderConnection":
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(kill, exited, reader, writer)

    @property
    def usable(self) -> bool:
        """Whether the decoder process still waits for a recording."""
        return not (self.exited.done() or self._reader.at_eof() or self._writer.is_closing())

    async def begin(self, job: Job) -> None:
        """Pass *job* to the decoder process, and wait until it has it. On an error, the process is killed.

        Raises:
            ConnectionEnded: the process has ended, or has been stopped.
            InvalidFrame: it sent something else.
        """
        try:
            async with timeouts.timeout(BEGIN_SECONDS):
                await self.send(JOB, job.dump())
                kind, _ = await self.receive()
            if kind != TAKEN:
                raise InvalidFrame(f"kind {kind!r}")
        except BaseException as error:
            self.kill()
            self.close()
            if isinstance(error, TimeoutError):
                raise ConnectionEnded from error
            raise

    async def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Send a payload of any length, in several frames if necessary, as fast as the decoder reads it.

        Raises:
            ConnectionEnded: the decoder process has ended.
        """
        try:
            for start in range(0, max(1, len(payload)), MOST_BYTES):
                self._writer.write(frame(kind, payload[start : start + MOST_BYTES]))
                await self._writer.drain()
        except (ConnectionError, RuntimeError) as error:
            raise ConnectionEnded from error

    async def receive(self) -> tuple[bytes, bytes]:
        """The next frame.

        Raises:
            ConnectionEnded: the decoder process has ended.
            InvalidFrame: it sent something else.
        """
        try:
            kind, length = parse_header(await self._reader.readexactly(HEADER.size))
            return kind, await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ConnectionEnded from error

    def close(self) -> None:
        """End the connection: a decoder process that waits for something ends too."""
        self._writer.transport.abort()
