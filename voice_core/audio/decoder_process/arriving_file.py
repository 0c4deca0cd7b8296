"""An upload that FFmpeg reads while it arrives, in a decoder process."""

import io
from collections.abc import Callable

from voice_core.audio.containers import matroska
from voice_core.audio.containers.tags import OVERLAP_BYTES
from voice_core.audio.decoder_process.decoder_frames import DATA, BlockingFrames
from voice_core.audio.other_recordings import SEARCHED_BYTES, check_end


class ArrivingFile(io.RawIOBase):
    """A WebM or Matroska file, without its titles, that cannot be sought in. A read waits for at least one byte.

    The constructor waits for the description of the tracks. *before_waiting* is called each time before more is
    received.

    Raises:
        InvalidAudio, UnsupportedFormat: as `matroska.hiding`.
    """

    def __init__(self, frames: BlockingFrames, before_waiting: Callable[[], None]) -> None:
        super().__init__()
        self._frames = frames
        self._before_waiting = before_waiting
        self._held = bytearray()
        self._start = 0
        """Offset of the first held byte in the file."""
        self._ended = False
        self._tail = bytearray()
        """The last bytes that were read."""
        while not self._ended and matroska.head_bytes(self._held) is None:
            self._receive()
        self._hide = matroska.hiding(io.BytesIO(self._held))

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        while not self._ended and len(self._held) <= OVERLAP_BYTES:
            self._receive()
        known = len(self._held) - (0 if self._ended else OVERLAP_BYTES)
        count = known if size < 0 else min(size, known)
        shown = self._hide(self._start, bytes(self._held[: count + OVERLAP_BYTES]))[:count]
        self._tail += self._held[:count]
        del self._tail[:-SEARCHED_BYTES]
        del self._held[:count]
        self._start += count
        if self._ended and not self._held and self._tail:
            tail, self._tail = bytes(self._tail), bytearray()
            check_end(tail, "mkv")
        return shown

    def _receive(self) -> None:
        self._before_waiting()
        kind, data = self._frames.receive()
        self._ended = kind != DATA
        self._held += data
