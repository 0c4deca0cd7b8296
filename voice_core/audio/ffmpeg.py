"""Decoding by FFmpeg of any container except plain WAV.

Uploaded files are not trusted. So FFmpeg may use one named format, audio codecs only and no other files, and each read
checks a deadline.
"""

import io
from collections.abc import Iterable, Iterator

import av

from voice_core.audio.containers import mp4
from voice_core.audio.containers.metadata_filter import hiding
from voice_core.audio.containers.tags import OVERLAP_BYTES, id3_bytes
from voice_core.audio.ffmpeg_input import Input
from voice_core.audio.ffmpeg_stream import Decoder
from voice_core.audio.file_parts import Part, parts
from voice_core.audio.limits import DecodingDeadline, Limits
from voice_core.audio.ranged_file import BLOCK_BYTES, Fetch, FilePart, RangedFile
from voice_core.audio.sniff import SEARCH_BYTES, beginning, sniff
from voice_core.domain.errors import InvalidAudio

_INDEXED = (*mp4.NAMES, "caf", "flac", "aiff", "au", "w64")
"""Containers whose header has the length of the sound; for others FFmpeg only guesses it."""


def decode(data: bytes, limits: Limits, deadline: DecodingDeadline) -> Iterator[bytes]:
    """The sound of a complete file as mono 16-bit PCM at 16 kHz, as it is decoded. Blocks.

    Damaged packets are left out as long as most packets decode.

    Raises:
        TooLarge: ``audio-too-long``.
        UnsupportedFormat: ``audio-format-unsupported``; a codec, rates or channels that we do not read.
        InvalidAudio: ``audio-missing`` without an audio track, ``audio-empty``, ``audio-truncated``, or
            ``audio-unreadable``, also when the deadline passes.
    """
    data = data[beginning(data) :]
    name = sniff(data) or "mp3"
    found = parts(name, io.BytesIO(data))
    yield from _joined((_decoded(name, data[part.start : part.end], limits, deadline) for part in found), limits)


def _decoded(name: str, data: bytes, limits: Limits, deadline: DecodingDeadline) -> Iterator[bytes]:
    data = hiding(name, io.BytesIO(data))(0, data)
    try:
        with Input(_Upload(data, deadline), name) as source:
            yield from Decoder(source, name in _INDEXED, limits, deadline).pcm()
    except (av.FFmpegError, ValueError) as error:
        deadline.check()
        raise _unreadable(name) from error


def _joined(sounds: Iterable[Iterator[bytes]], limits: Limits) -> Iterator[bytes]:
    """Several *sounds* as one; empty ones are left out.

    Raises:
        InvalidAudio: ``audio-empty``, when all of them are.
        TooLarge: ``audio-too-long``.
    """
    pcm_bytes, empty = 0, None
    for sound in sounds:
        try:
            for pcm in sound:
                pcm_bytes += len(pcm)
                limits.check_pcm(pcm_bytes)
                yield pcm
        except InvalidAudio as error:
            if error.code != "audio-empty":
                raise
            empty = error
    if empty and not pcm_bytes:
        raise empty


def decode_arriving(file: io.RawIOBase, limits: Limits) -> Iterator[bytes]:
    """The sound of a WebM or Matroska *file* that cannot be sought in, in the same form. Blocks.

    Raises:
        InvalidAudio, TooLarge, UnsupportedFormat: as `decode`.
    """
    name = "webm"
    try:
        with Input(file, name) as source:
            yield from Decoder(source, name in _INDEXED, limits, DecodingDeadline(float("inf"))).pcm()
    except (av.FFmpegError, ValueError) as error:
        raise _unreadable(name) from error


def opened(size: int, fetch: Fetch, limits: Limits, deadline: DecodingDeadline) -> "Sound":
    """Open a file of *size* bytes that is read by *fetch* while it is decoded. Blocks: call it in a thread.

    Raises:
        InvalidAudio, TooLarge, UnsupportedFormat: as `decode`, here or during `Sound.pcm`.
    """
    head = fetch(0, min(size, SEARCH_BYTES))
    tag_bytes = min(id3_bytes(head), size)
    if tag_bytes:
        head = fetch(tag_bytes, min(size - tag_bytes, SEARCH_BYTES))
    start = tag_bytes + beginning(head)

    def piece(offset: int, count: int) -> bytes:
        return fetch(start + offset, count)

    return Sound(RangedFile(size - start, piece), sniff(head[beginning(head) :]) or "mp3", limits, deadline)


class Sound:
    """The sound of a file called *name*. The caller must close it.

    Raises:
        InvalidAudio, TooLarge, UnsupportedFormat: as `decode`.
    """

    def __init__(self, file: RangedFile, name: str, limits: Limits, deadline: DecodingDeadline) -> None:
        self._file = file
        self._name = name
        self._limits = limits
        self._deadline = deadline
        self._parts = parts(name, file)
        self._open(self._parts[0])
        self.seconds = self._decoder.promised_seconds() or None if len(self._parts) == 1 else None
        """The length by the container's index; None when it has none, or when there are several."""

    def pcm(self) -> Iterator[bytes]:
        """Mono 16-bit PCM at 16 kHz, as it is decoded."""
        yield from _joined(map(self._sound, self._parts), self._limits)

    def close(self) -> None:
        self._input.close()

    def _sound(self, part: Part) -> Iterator[bytes]:
        if part != self._parts[0]:
            self.close()
            self._open(part)
        try:
            yield from self._decoder.pcm()
        except (av.FFmpegError, ValueError) as error:
            raise _unreadable(self._name) from error

    def _open(self, part: Part) -> None:
        """Open the container in *part* of the file."""
        file = FilePart(self._file, part.start, part.end)
        hide = hiding(self._name, file, BLOCK_BYTES)

        def shown(start: int, count: int) -> bytes:
            file.seek(start)
            return hide(start, file.read(count + OVERLAP_BYTES))[:count]

        try:
            self._input = Input(RangedFile(file.size, shown), self._name)
        except (av.FFmpegError, ValueError) as error:
            raise _unreadable(self._name) from error
        self._decoder = Decoder(self._input, self._name in _INDEXED, self._limits, self._deadline)
        self._limits.check_seconds(self._decoder.promised_seconds())


def _unreadable(name: str) -> InvalidAudio:
    detail = f"The recording begins as {name} and cannot be read as that. Check that it plays, and send it again."
    return InvalidAudio(detail)


class _Upload(io.BytesIO):
    """The file that FFmpeg reads. It ends when the deadline passes, since PyAV prints errors that are raised here."""

    def __init__(self, data: bytes, deadline: DecodingDeadline) -> None:
        super().__init__(data)
        self._deadline = deadline

    def read(self, size: int | None = -1, /) -> bytes:
        return b"" if self._deadline.passed else super().read(size)
