"""The exchange with one decoder process: the bytes of a recording for its sound."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from typing import Any

from voice_core import timeouts
from voice_core.audio.container_decoder import ReadRange
from voice_core.audio.decoder_process.decoder_connection import DecoderConnection
from voice_core.audio.decoder_process.decoder_frames import (
    DATA,
    DONE,
    END,
    FETCH,
    FETCH_RANGE,
    MOST_BYTES,
    PCM,
    REFUSED,
    SECONDS,
    ConnectionEnded,
    InvalidFrame,
    Job,
    parse_refusal,
    parse_seconds,
)
from voice_core.audio.decoder_process.decoder_server import ServerEnded
from voice_core.audio.limits import too_slow
from voice_core.domain.errors import Busy, InvalidAudio, VoiceError

Report = Callable[[str, Mapping[str, Any]], None]
"""Receives the name of an event, and its attributes."""

STEP_SECONDS = 60.0
"""Longest time from one frame of a file's decoder to the next."""

EXIT_SECONDS = 5.0
"""Longest wait for an exit status after the end of a connection."""

RETRY_SECONDS = 1.0


class Exchange:
    """One recording, decoded by the process at the other end of *connection*, which has the job."""

    def __init__(self, connection: DecoderConnection, report: Report) -> None:
        self._connection = connection
        self._report = report
        self._finished = False

    async def upload(self, job: Job, chunks: AsyncIterable[bytes], receive: Callable[[bytes], None]) -> None:
        """Decode an upload; *receive* gets its sound as it is decoded.

        Raises:
            InvalidAudio, TooLarge, UnsupportedFormat: also when the process crashes or takes too long.
            Busy: the process was killed from outside.
        """
        pcm_bytes = 0
        async with self._closing(), timeouts.timeout(None) as deadline:
            feeding = asyncio.create_task(self._feed(chunks, lambda: deadline.start(job.limits.decode_seconds)))
            feeding.add_done_callback(self._stop_if_failed)
            try:
                while frame := await self._next():
                    kind, payload = frame
                    if kind != PCM:
                        raise InvalidFrame(f"kind {kind!r}")
                    pcm_bytes += len(payload)
                    job.limits.check_pcm(pcm_bytes)
                    receive(payload)
            except ConnectionEnded:
                if feeding.done() and not feeding.cancelled() and (error := feeding.exception()):
                    raise error from None
                raise
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)

    async def ranged(
        self, size: int, read: ReadRange, report_seconds: Callable[[float | None], None]
    ) -> AsyncGenerator[bytes]:
        """Decode a file of *size* bytes on demand. Raises as `upload`; errors of *read* are passed on."""
        async with self._closing():
            while frame := await self._next_in_time():
                kind, payload = frame
                if kind == PCM:
                    yield payload
                elif kind == SECONDS:
                    report_seconds(parse_seconds(payload))
                elif kind == FETCH:
                    await self._connection.send(DATA, await read(*_range(payload, size)))
                else:
                    raise InvalidFrame(f"kind {kind!r}")

    async def _feed(self, chunks: AsyncIterable[bytes], ended: Callable[[], None]) -> None:
        """Send the upload, and report its end."""
        with contextlib.suppress(ConnectionEnded):
            async for chunk in chunks:
                await self._connection.send(DATA, chunk)
            ended()
            await self._connection.send(END)

    def _stop_if_failed(self, feeding: "asyncio.Task[None]") -> None:
        if not feeding.cancelled() and feeding.exception():
            self._connection.close()

    async def _next(self) -> tuple[bytes, bytes] | None:
        """The decoder's next frame, or None when it is done. Raises the error that it reports."""
        kind, payload = await self._connection.receive()
        refusal = parse_refusal(payload) if kind == REFUSED else None
        self._finished = kind in (DONE, REFUSED)
        if refusal:
            raise refusal
        return None if kind == DONE else (kind, payload)

    async def _next_in_time(self) -> tuple[bytes, bytes] | None:
        async with timeouts.timeout(STEP_SECONDS):
            return await self._next()

    @contextlib.asynccontextmanager
    async def _closing(self) -> AsyncGenerator[None]:
        """Close the connection at the end, kill a process that is not done, and translate its end into an error."""
        try:
            yield
        except ConnectionEnded as error:
            raise await self._error() from error
        except InvalidFrame as error:
            self._report("decoder-failed", {"reason": "protocol", "error": str(error)})
            raise _unreadable() from error
        except TimeoutError as error:
            self._report("decoder-failed", {"reason": "deadline"})
            raise too_slow() from error
        finally:
            self._connection.close()
            if not self._finished:
                self._connection.kill()

    async def _error(self) -> VoiceError:
        """The error for a process that ended before it was done."""
        try:
            async with asyncio.timeout(EXIT_SECONDS):
                status = await asyncio.shield(self._connection.exited)
        except (TimeoutError, ServerEnded):
            status = signal.SIGKILL
        if ended_by_cpu(status):
            self._report("decoder-failed", {"reason": "cpu"})
            return too_slow()
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGKILL, signal.SIGTERM):
            self._report("decoder-failed", {"reason": "killed"})
            return Busy("Decoding the recording was interrupted. Send it again.", retry_after=RETRY_SECONDS)
        self._report("decoder-failed", {"reason": "crash", "status": status})
        return _unreadable()


def ended_by_cpu(status: int) -> bool:
    """Whether a process with this exit status (as from `os.waitpid`) used up its CPU time."""
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU


def _range(payload: bytes, size: int) -> tuple[int, int]:
    if len(payload) != FETCH_RANGE.size:
        raise InvalidFrame("not a range")
    start, count = FETCH_RANGE.unpack(payload)
    if start + count > size or count > MOST_BYTES:
        raise InvalidFrame("a range beyond the file")
    return start, count


def _unreadable() -> InvalidAudio:
    return InvalidAudio("The recording cannot be read. Check that it plays, and send it again.")
