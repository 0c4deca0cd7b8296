"""A container that FFmpeg has open: it may use one named format, audio codecs only and no other files."""

import io
from types import TracebackType
from typing import Self

import av
from av.container import InputContainer

from voice_core.audio.containers import mp4
from voice_core.audio.ffmpeg_track import CODECS

_DEMUXERS = {
    **dict.fromkeys(mp4.NAMES, "mov"),
    "wav": "wav",
    "w64": "w64",
    "aiff": "aiff",
    "au": "au",
    "caf": "caf",
    "mp3": "mp3",
    "aac": "aac",
    "latm": "loas",
    "ogg": "ogg",
    "webm": "matroska",
    "mkv": "matroska",
    "flac": "flac",
    "amr": "amr",
}
"""FFmpeg's name of each container that `sniff` knows."""

_OPTIONS = {
    "codec_whitelist": CODECS,
    "protocol_whitelist": "none",
    "probesize": "1000000",
    "analyzeduration": "1000000",
    "max_streams": "32",
}


class Input:
    """The container *name* in *file*.

    The constructor raises the errors of PyAV, and like `check` those of *file*.
    """

    def __init__(self, file: io.IOBase, name: str) -> None:
        # In a Matroska that it can seek in, FFmpeg passes over some of several files that follow one another.
        forward = _DEMUXERS[name] == "matroska"
        self._file = _ForwardFile(file) if forward else _File(file)
        try:
            self.container: InputContainer = av.open(
                self._file, "r", format=_DEMUXERS[name], container_options=_OPTIONS, metadata_errors="replace"
            )
        except (av.FFmpegError, ValueError):
            self.check()
            raise

    def check(self) -> None:
        """Raise the error that reading the file raised, if any."""
        if self._file.error:
            raise self._file.error

    def read(self, start: int, count: int) -> bytes:
        """Bytes of a file that is read back and forth."""
        at = self._file.seek(0, io.SEEK_CUR)
        self._file.seek(start)
        try:
            return self._file.read(count)
        finally:
            self._file.seek(at)

    def close(self) -> None:
        self.container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _ForwardFile(io.RawIOBase):
    """A *file* that is read from its start to its end. It ends at an error: otherwise FFmpeg tries again for ever."""

    def __init__(self, file: io.IOBase) -> None:
        super().__init__()
        self._file = file
        self.error: Exception | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if self.error:
            return b""
        try:
            data: bytes = self._file.read(size)
        except Exception as error:  # noqa: BLE001 - of any kind: it is raised again by `Input.check`
            self.error = error
            return b""
        return data


class _File(_ForwardFile):
    """The same for a file that is read back and forth."""

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)
