"""Decoding of recordings that are too long for memory: they are decoded while they are read, in any container."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing

from voice_core.audio import ffmpeg, wav
from voice_core.audio.limits import DecodingDeadline, Limits
from voice_core.audio.sniff import ACCEPTED, sniff
from voice_core.audio.upload_decoder import Decoding
from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat

Read = Callable[[int, int], Awaitable[bytes]]
"""Returns a number of bytes of the recording, from an offset on."""

READ_BYTES = 1 << 20
"""Bytes that are read at a time."""

BATCH_BYTES = 4 * RECOGNITION_RATE * SAMPLE_BYTES
"""PCM decoded at a time: enough that switching to a thread and back does not matter."""


class LargeSound:
    """A recording of *size* bytes that is *read* in pieces."""

    def __init__(self, size: int, read: Read, limits: Limits) -> None:
        self._size = size
        self._read = read
        self._limits = limits
        self.seconds: float | None = None
        """Length by the recording's own header, if it has one; known with the first sound."""

    async def pcm(self) -> AsyncGenerator[bytes]:
        """Its sound as mono 16-bit PCM at 16 kHz, in whole samples.

        Raises:
            InvalidAudio: ``audio-empty``, ``audio-missing``, ``audio-truncated`` or ``audio-unreadable``.
            TooLarge: ``audio-too-large`` or ``audio-too-long``.
            UnsupportedFormat: ``audio-format-unknown`` or ``audio-format-unsupported``.
        """
        self._limits.check_bytes(self._size)
        if not self._size:
            raise InvalidAudio("There are no bytes in the recording. Open another clip.", code="audio-empty")
        head = await self._read(0, min(self._size, READ_BYTES))
        name = sniff(head)
        if name is None:
            raise UnsupportedFormat(f"The format is none of {ACCEPTED}. Send a file in one of these.")
        header = wav.read_header(head) if name == "wav" else None
        if header and header.layout:
            end = min(self._size, header.data_offset + (header.data_bytes or self._size))
            self.seconds = header.layout.seconds(end - header.data_offset)
            pieces = Decoding(None, self._limits).pcm(self._chunks())
        else:
            pieces = self._decoded()
        async with aclosing(pieces):
            async for pcm in pieces:
                yield pcm

    async def _chunks(self) -> AsyncGenerator[bytes]:
        for start in range(0, self._size, READ_BYTES):
            yield await self._read(start, min(READ_BYTES, self._size - start))

    async def _decoded(self) -> AsyncGenerator[bytes]:
        """A container, decoded in threads, a batch at a time, on demand."""
        loop, deadline = asyncio.get_running_loop(), DecodingDeadline(float("inf"))

        async def reading(start: int, count: int) -> bytes:
            return await self._read(start, count)

        def fetch(start: int, count: int) -> bytes:
            return asyncio.run_coroutine_threadsafe(reading(start, count), loop).result()

        sound = None
        try:
            sound = await asyncio.to_thread(ffmpeg.opened, self._size, fetch, self._limits, deadline)
            self.seconds = sound.seconds
            pieces = sound.pcm()
            while pcm := await asyncio.to_thread(_batch, pieces):
                yield pcm
        finally:
            deadline.cancel()
            if sound is not None:
                sound.close()


def _batch(pieces: Iterator[bytes]) -> bytes:
    """The next batch of the sound; empty at its end."""
    batch = bytearray()
    for pcm in pieces:
        batch += pcm
        if len(batch) >= BATCH_BYTES:
            break
    return bytes(batch)
