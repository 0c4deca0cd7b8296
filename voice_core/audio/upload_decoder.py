"""Decodes uploads of any format to mono 16-bit PCM at 16 kHz, the input of recognition."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator
from contextlib import aclosing

from voice_core.audio import wav
from voice_core.audio.container_decoder import ContainerDecoder
from voice_core.audio.containers.tags import id3_bytes
from voice_core.audio.in_process import InProcessDecoder
from voice_core.audio.limits import Limits
from voice_core.audio.pcm import RunConverter
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.sniff import ACCEPTED, beginning, decided, sniff
from voice_core.audio.wav_stream import Run, WavStream
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
        while not decided(head, searched=self.raw is None) and await _grown(head, upload):
            pass
        # Declared PCM may look like the middle of a stream of frames.
        start = beginning(head) if self.raw is None else id3_bytes(head)
        self.format = self._recognised(head, start)
        del head[:start]
        header = await self._wav_header(head, upload) if self.format == "wav" else None
        if self.raw and self.format == "pcm":
            pieces = self._converted(_RawStream(self.raw), self.raw, _chained(bytes(head), upload))
        elif header and header.layout:
            samples = _chained(bytes(head[header.data_offset :]), upload)
            pieces = self._converted(WavStream(header, header.layout, self._limits), header.layout, samples)
        else:
            first = bytes(head)
            # What was read may be all of it, and must not be held as long as the sound is.
            head.clear()
            pieces = self._containers.upload(self.format, _chained(first, upload), self._limits)
            del first
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

    def _recognised(self, head: bytearray, start: int) -> str:
        if not head:
            raise InvalidAudio("The audio has no bytes. Send the recording.", code="audio-empty")
        name = sniff(head[start:]) or sniff(head) or ("pcm" if self.raw else None)
        if name is None:
            raise UnsupportedFormat(f"The format is none of {ACCEPTED}. If it is headerless PCM, declare that.")
        return name

    async def _wav_header(self, head: bytearray, upload: AsyncIterator[bytes]) -> wav.WavHeader:
        """The header of the upload, which begins with *head*."""
        while (header := wav.read_header(head)) is None:
            if not await _grown(head, upload):
                detail = "The WAV ends before its samples. Send all of it."
                raise InvalidAudio(detail, code="audio-truncated")
        return header

    async def _converted(
        self, stream: "WavStream | _RawStream", first: RawPcm, chunks: AsyncIterable[bytes]
    ) -> AsyncGenerator[bytes]:
        """The samples in *stream*, of which *first* is the first layout, converted while they arrive."""
        converter = RunConverter(self._limits)
        async for chunk in _gathered(chunks, round(first.rate * GATHERED_SECONDS) * first.frame_bytes):
            for piece in _slices(chunk):
                if pcm := b"".join(converter.feed(*run) for run in stream.feed(piece)):
                    yield pcm
                if len(chunk) > SLICE_BYTES:
                    await asyncio.sleep(0)
        rest = b"".join(converter.feed(*run) for run in stream.finish())
        if pcm := rest + converter.finish():
            yield pcm


class _RawStream:
    """A stream of nothing but samples."""

    def __init__(self, layout: RawPcm) -> None:
        self._layout = layout

    def feed(self, data: bytes) -> Iterator[Run]:
        yield self._layout, data

    def finish(self) -> Iterator[Run]:
        return iter(())


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
