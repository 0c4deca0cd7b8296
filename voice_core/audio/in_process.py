"""Decoding of containers by FFmpeg in threads of this process, where decoder processes are not possible."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache
from typing import Protocol

from voice_core import timeouts
from voice_core.audio import ffmpeg
from voice_core.audio.limits import DecodingDeadline, Limits, too_slow
from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES

ReadRange = Callable[[int, int], Awaitable[bytes]]
"""Returns a number of bytes of a recording, from an offset on."""

GRACE_SECONDS = 0.5
"""A decoder notices its deadline within this time; one that hangs is abandoned after it."""

BATCH_BYTES = 4 * RECOGNITION_RATE * SAMPLE_BYTES
"""PCM decoded at a time: enough that switching to a thread and back does not matter."""

SLICE_BYTES = 65_536
"""PCM passed on at a time, so that other tasks of the event loop get to run."""

THREADS = 2


class ContainerDecoder(Protocol):
    """Decodes recordings of one user to mono 16-bit PCM at 16 kHz.

    Both methods raise InvalidAudio, TooLarge and UnsupportedFormat, and Busy when there is no room for another one.
    """

    def upload(self, name: str, chunks: AsyncIterable[bytes], limits: Limits) -> AsyncGenerator[bytes]:
        """The sound of an upload in the container *name*. Errors of *chunks* are passed on."""

    def ranged(
        self, size: int, read: ReadRange, limits: Limits, report_seconds: Callable[[float | None], None]
    ) -> AsyncGenerator[bytes]:
        """The sound of a file of *size* bytes, decoded on demand.

        The length by the file's own index, if it has one, is reported before the first sound.
        """


class InProcessDecoder:
    """A `ContainerDecoder` with threads of its own. FFmpeg notices a deadline only between reads and packets."""

    def __init__(self, threads: Executor | None = None) -> None:
        """*threads* decode; None: two that all such decoders share."""
        self._threads = threads or _shared_threads()

    async def upload(self, name: str, chunks: AsyncIterable[bytes], limits: Limits) -> AsyncGenerator[bytes]:
        file = bytearray()
        async for chunk in chunks:
            file += chunk
        deadline = DecodingDeadline(limits.decode_seconds)
        loop = asyncio.get_running_loop()
        try:
            async with timeouts.timeout(limits.decode_seconds + GRACE_SECONDS):
                pcm = await loop.run_in_executor(self._threads, _decode, bytes(file), limits, deadline)
        except TimeoutError as error:
            raise too_slow() from error
        finally:
            deadline.cancel()
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

        sound = None
        try:
            sound = await loop.run_in_executor(self._threads, ffmpeg.opened, size, fetch, limits, deadline)
            report_seconds(sound.seconds)
            pieces = sound.pcm()
            while pcm := await loop.run_in_executor(self._threads, _batch, pieces):
                yield pcm
        finally:
            deadline.cancel()
            if sound is not None:
                sound.close()


@cache
def _shared_threads() -> Executor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="decoding")


def _decode(file: bytes, limits: Limits, deadline: DecodingDeadline) -> bytes:
    return b"".join(ffmpeg.decode(file, limits, deadline))


def _batch(pieces: Iterator[bytes]) -> bytes:
    """The next batch of the sound; empty at its end."""
    batch = bytearray()
    for pcm in pieces:
        batch += pcm
        if len(batch) >= BATCH_BYTES:
            break
    return bytes(batch)
