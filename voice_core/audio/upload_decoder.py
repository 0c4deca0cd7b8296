"""Decodes uploads of any format to mono 16-bit PCM at 16 kHz, the input of recognition."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator
from contextlib import aclosing

from voice_core.audio import wav
from voice_core.audio.containers.tags import id3_bytes
from voice_core.audio.in_process import ContainerDecoder, InProcessDecoder
from voice_core.audio.limits import Limits
from voice_core.audio.pcm import Converter
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.sniff import ACCEPTED, decided, sniff
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat

__all__ = ["Decoding", "Limits", "RawPcm"]

SLICE_BYTES = 65_536
"""Bytes converted at a time: about a millisecond of work, then other tasks run."""

HEADER_STEP_BYTES = 64
"""Bytes after which an incomplete header is read again: each attempt has a fixed cost."""

GATHERED_SECONDS = 0.01
"""Pieces of sound are joined to this length first, for the same reason. No more than this is held back."""

PIECE_COST_BYTES = 64
"""Fixed cost of a piece, in bytes whose conversion takes as long."""


class Decoding:
    """The decoding of one upload."""

    def __init__(self, raw: RawPcm | None, limits: Limits, containers: ContainerDecoder | None = None) -> None:
        """*raw* is the layout of bytes in no known container; without it such bytes are refused.

        *containers* decodes all containers but plain WAV; None: FFmpeg in this process.
        """
        self.raw = raw
        self._limits = limits
        self._containers = containers or InProcessDecoder()
        self.format: str | None = None
        """The container's name, or ``pcm``; known after its first bytes."""
        self.bytes_in = 0

    async def pcm(self, chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
        """The sound of *chunks* as mono 16-bit PCM at 16 kHz, in whole samples.

        WAV, raw PCM and, in a process of their own, WebM and Matroska are decoded while they arrive, other containers
        once they are complete.

        Raises:
            InvalidAudio: ``audio-empty``, ``audio-missing``, ``audio-truncated`` or ``audio-unreadable``.
            TooLarge: ``audio-too-large`` or ``audio-too-long``, as soon as it is known.
            UnsupportedFormat: ``audio-format-unknown`` or ``audio-format-unsupported``.
            Busy: another recording of the user is being decoded, or too many of other users.
        """
        empty = True
        async with aclosing(self._counted(chunks)) as upload, aclosing(self._sound(upload)) as sound:
            async for pcm in sound:
                empty = False
                yield pcm
        if empty:
            raise InvalidAudio("The audio has no samples. Check that the microphone is on.", code="audio-empty")

    async def _sound(self, upload: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        head = bytearray()
        while not decided(head) and await _grown(head, upload):
            pass
        self.format = self._recognised(head)
        del head[: id3_bytes(head)]
        header = await self._plain_header(head, upload)
        if header and header.layout:
            pieces = self._converted(header, header.layout, _chained(bytes(head[header.data_offset :]), upload))
        else:
            pieces = self._containers.upload(self.format, _chained(bytes(head), upload), self._limits)
        async with aclosing(pieces):
            async for pcm in pieces:
                yield pcm

    async def _counted(self, chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
        cost = 0
        async for chunk in chunks:
            self.bytes_in += len(chunk)
            self._limits.check_bytes(self.bytes_in)
            yield chunk
            cost += len(chunk) + PIECE_COST_BYTES
            if cost >= SLICE_BYTES:
                cost = 0
                await asyncio.sleep(0)

    def _recognised(self, head: bytearray) -> str:
        if not head:
            raise InvalidAudio("The audio has no bytes. Send the recording.", code="audio-empty")
        name = sniff(head) or ("pcm" if self.raw else None)
        if name is None:
            raise UnsupportedFormat(f"The format is none of {ACCEPTED}. If it is headerless PCM, declare that.")
        return name

    async def _plain_header(self, head: bytearray, upload: AsyncIterator[bytes]) -> wav.WavHeader | None:
        """The position of PCM in the upload; None when a container must be decoded."""
        if self.format == "pcm":
            return wav.WavHeader(self.raw, 0, None)
        if self.format != "wav":
            return None
        while (header := wav.read_header(head)) is None:
            if not await _grown(head, upload):
                detail = "The WAV ends before its samples. Send all of it."
                raise InvalidAudio(detail, code="audio-truncated")
        return header

    async def _converted(
        self, header: wav.WavHeader, layout: RawPcm, chunks: AsyncIterable[bytes]
    ) -> AsyncGenerator[bytes]:
        """PCM of *layout*, converted while it arrives; bytes after the samples are read and dropped."""
        self._limits.check_bytes(header.data_bytes or 0)
        self._limits.check_seconds(layout.seconds(header.data_bytes or 0))
        left = header.data_bytes or sys.maxsize
        taken, converter = 0, Converter(layout)
        async for chunk in _gathered(chunks, round(layout.rate * GATHERED_SECONDS) * layout.frame_bytes):
            wanted = chunk[:left]
            left, taken = left - len(wanted), taken + len(wanted)
            self._limits.check_seconds(layout.seconds(taken))
            for piece in _slices(wanted):
                if pcm := converter.feed(piece):
                    yield pcm
                if len(wanted) > SLICE_BYTES:
                    await asyncio.sleep(0)
        if pcm := converter.finish():
            yield pcm


async def _chained(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _grown(head: bytearray, upload: AsyncIterator[bytes]) -> bool:
    """Append more of *upload* to *head*; False when there is no more."""
    before = len(head)
    while len(head) < before + HEADER_STEP_BYTES and (chunk := await anext(upload, None)) is not None:
        head += chunk
    return len(head) > before


async def _gathered(chunks: AsyncIterable[bytes], least: int) -> AsyncGenerator[bytes]:
    """*chunks* joined so that each except the last has at least *least* bytes."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        if len(held) >= least:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def _slices(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), SLICE_BYTES):
        yield data[start : start + SLICE_BYTES]
