"""Decoding of containers by FFmpeg in threads of this process, where decoder processes are not possible."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import cache
from typing import Any

from voice_core import timeouts
from voice_core.audio import ffmpeg
from voice_core.audio.container_decoder import ReadRange
from voice_core.audio.limits import DecodingDeadline, Limits, too_slow
from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES
from voice_core.domain.errors import Busy

GRACE_SECONDS = 0.5
"""A decoder notices its deadline within this time; one that hangs is abandoned after it."""

BATCH_BYTES = 4 * RECOGNITION_RATE * SAMPLE_BYTES
"""PCM decoded at a time: enough that switching to a thread and back does not matter."""

SLICE_BYTES = 65_536
"""PCM passed on at a time, so that other tasks of the event loop get to run."""

THREADS = 2

WAIT_SECONDS = 15.0
"""Longest wait for a thread."""

RETRY_SECONDS = 1.0


class InProcessDecoder:
    """A `ContainerDecoder` with threads of its own. FFmpeg notices a deadline only between reads and packets."""

    def __init__(self, threads: Executor | None = None) -> None:
        """*threads* decode; None: two that all such decoders share."""
        self._threads = threads or _shared_threads()

    async def upload(self, name: str, chunks: AsyncIterable[bytes], limits: Limits) -> AsyncGenerator[bytes]:
        file = bytearray()
        async for chunk in chunks:
            file += chunk
        pcm = await self._decoded(bytes(file), limits)
        for start in range(0, len(pcm), SLICE_BYTES):
            yield pcm[start : start + SLICE_BYTES]

    async def ranged(
        self, size: int, read: ReadRange, limits: Limits, report_seconds: Callable[[float | None], None]
    ) -> AsyncGenerator[bytes]:
        loop, deadline = asyncio.get_running_loop(), DecodingDeadline(float("inf"))

        async def reading(start: int, count: int) -> bytes:
            return await read(start, count)

        def fetch(start: int, count: int) -> bytes:
            return asyncio.run_coroutine_threadsafe(reading(start, count), loop).result()

        opening = self._threads.submit(ffmpeg.opened, size, fetch, limits, deadline)
        latest: Future[Any] = opening
        try:
            sound = await asyncio.wrap_future(opening)
            report_seconds(sound.seconds)
            pieces = sound.pcm()
            while True:
                latest = self._threads.submit(_batch, pieces)
                if not (pcm := await asyncio.wrap_future(latest)):
                    break
                yield pcm
        finally:
            deadline.cancel()
            # A thread that is still reading must not lose the file under its hands.
            latest.add_done_callback(lambda _: _close(opening))

    async def _decoded(self, file: bytes, limits: Limits) -> bytes:
        """The sound of *file*. Its deadline begins when a thread does."""
        loop, started = asyncio.get_running_loop(), asyncio.Event()
        deadlines: list[DecodingDeadline] = []

        def decode() -> bytes:
            deadlines.append(DecodingDeadline(limits.decode_seconds))
            loop.call_soon_threadsafe(started.set)
            return b"".join(ffmpeg.decode(file, limits, deadlines[0]))

        decoding = loop.run_in_executor(self._threads, decode)
        try:
            await _begun(started)
            async with timeouts.timeout(limits.decode_seconds + GRACE_SECONDS):
                return await decoding
        except TimeoutError as error:
            raise too_slow() from error
        finally:
            decoding.cancel()
            for deadline in deadlines:
                deadline.cancel()


async def _begun(started: asyncio.Event) -> None:
    """Wait until a thread has begun.

    Raises:
        Busy: all threads decode other recordings.
    """
    try:
        async with timeouts.timeout(WAIT_SECONDS):
            await started.wait()
    except TimeoutError as error:
        detail = "Other recordings are still being decoded. Send this one again."
        raise Busy(detail, retry_after=RETRY_SECONDS) from error


def _close(opening: "Future[ffmpeg.Sound]") -> None:
    if opening.done() and not opening.cancelled() and not opening.exception():
        opening.result().close()


@cache
def _shared_threads() -> Executor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="decoding")


def _batch(pieces: Iterator[bytes]) -> bytes:
    """The next batch of the sound; empty at its end."""
    batch = bytearray()
    for pcm in pieces:
        batch += pcm
        if len(batch) >= BATCH_BYTES:
            break
    return bytes(batch)
