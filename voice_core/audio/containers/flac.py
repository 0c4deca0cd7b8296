"""Parts of a FLAC file that are hidden from FFmpeg: all metadata except STREAMINFO (RFC 9639, 8)."""

import io
from collections.abc import Iterator
from functools import partial

from voice_core.audio.containers.tags import Hide, patched
from voice_core.domain.errors import InvalidAudio

_MAGIC_BYTES, _HEADER_BYTES = 4, 4
_STREAMINFO, _PADDING, _LAST = 0, 1, 0x80
"""Kinds of metadata blocks, and the mark of the last (RFC 9639, 8.1)."""

_MOST_BLOCKS = 1_000
"""Real files have a handful; the limit bounds the work on a crafted file."""


def hiding(file: io.IOBase) -> Hide:
    """The filter that turns comments, pictures, cue sheets and seek tables into padding.

    Raises:
        InvalidAudio: ``audio-unreadable``; there are too many blocks.
    """
    return partial(patched, dict(_patches(file)))


def _patches(file: io.IOBase) -> Iterator[tuple[int, bytes]]:
    at = _MAGIC_BYTES
    for _ in range(_MOST_BLOCKS):
        file.seek(at)
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            return
        if header[0] & ~_LAST != _STREAMINFO:
            yield at, bytes((header[0] & _LAST | _PADDING,))
        if header[0] & _LAST:
            return
        at += _HEADER_BYTES + int.from_bytes(header[1:])
    raise InvalidAudio("The recording has too many blocks before its sound. Send the recorder's file as it is.")
