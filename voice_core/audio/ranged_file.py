"""A remote file, read in the way of FFmpeg: back and forth, a little at a time."""

import io
from collections import OrderedDict
from collections.abc import Callable

Fetch = Callable[[int, int], bytes]
"""Returns a number of bytes, from an offset on."""

BLOCK_BYTES = 1 << 20
BLOCKS = 8
"""Blocks in memory: FFmpeg alternates between the index of a file and its sound."""


class RangedFile(io.RawIOBase):
    """A file of *size* bytes, with the last `BLOCKS` blocks in memory."""

    def __init__(self, size: int, fetch: Fetch) -> None:
        super().__init__()
        self._size = size
        self._fetch = fetch
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        end = self._size if size < 0 else min(self._size, self._at + size)
        pieces = []
        while self._at < end:
            number, skip = divmod(self._at, BLOCK_BYTES)
            piece = self._block(number)[skip : skip + end - self._at]
            pieces.append(piece)
            self._at += len(piece)
        return b"".join(pieces)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            start = number * BLOCK_BYTES
            self._blocks[number] = self._fetch(start, min(BLOCK_BYTES, self._size - start))
            if len(self._blocks) > BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]


class FilePart(io.RawIOBase):
    """The bytes of *file* from *start* to *end*, as a file of their own."""

    def __init__(self, file: RangedFile, start: int, end: int) -> None:
        super().__init__()
        self._file = file
        self._start = start
        self.size = end - start
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        left = max(0, self.size - self._at)
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data
