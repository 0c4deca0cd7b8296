"""Decoding of recordings that are too long for memory: they are decoded while they are read, in any container."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from voice_core.audio import wav
from voice_core.audio.container_decoder import ContainerDecoder, ReadRange
from voice_core.audio.in_process import InProcessDecoder
from voice_core.audio.limits import Limits
from voice_core.audio.sniff import ACCEPTED, beginning, sniff
from voice_core.audio.upload_decoder import Decoding
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat

READ_BYTES = 1 << 20
"""Bytes that are read at a time."""

READ_SHARE = 4
READ_ALLOWANCE = 8 << 20
"""A file may be read `READ_SHARE` times over, and this many bytes more: FFmpeg alternates between index and sound."""


class LargeSound:
    """A recording of *size* bytes that is *read* in pieces."""

    def __init__(self, size: int, read: ReadRange, limits: Limits, containers: ContainerDecoder | None = None) -> None:
        """*containers* decodes all containers but plain WAV; None: FFmpeg in this process."""
        self._containers = containers or InProcessDecoder()
        self._size = size
        self._read_range = read
        self._left_bytes = READ_SHARE * size + READ_ALLOWANCE
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
        start = beginning(head)
        name = sniff(head[start:]) or sniff(head)
        if name is None:
            raise UnsupportedFormat(f"The format is none of {ACCEPTED}. Send a file in one of these.")
        header = wav.read_header(head[start:]) if name == "wav" else None
        if header and header.layout:
            self.seconds = header.layout.seconds(await self._sample_bytes(header, start + header.data_offset))
            pieces = Decoding(None, self._limits).pcm(self._chunks())
        else:
            pieces = self._containers.ranged(self._size, self._read, self._limits, self._set_seconds)
        async with aclosing(pieces):
            async for pcm in pieces:
                yield pcm

    async def _sample_bytes(self, header: wav.WavHeader, start: int) -> int:
        """Bytes of the samples from *start* on; if other files follow, about so many."""
        end = min(self._size, start + (header.data_bytes or self._size))
        after = await self._read(end, min(wav.KIND_BYTES, self._size - end)) if end < self._size else b""
        goes_on = after in wav.RIFF_KINDS or not after.decode("latin-1").isprintable()
        return (self._size if goes_on else end) - start

    async def _read(self, start: int, count: int) -> bytes:
        self._left_bytes -= count
        if self._left_bytes < 0:
            detail = "The sound is scattered over the file, so it is read too often. Send a file of sound only."
            raise InvalidAudio(detail)
        return await self._read_range(start, count)

    async def _chunks(self) -> AsyncGenerator[bytes]:
        for start in range(0, self._size, READ_BYTES):
            yield await self._read(start, min(READ_BYTES, self._size - start))

    def _set_seconds(self, seconds: float | None) -> None:
        self.seconds = seconds
