"""Complete files that follow one another in one file, as recorders write that cut a recording into slices.

FFmpeg stops at the end of the first, or reads on as if nothing had changed. Bare frames it reads to the end, and
`matroska` makes it do so with WebM and Matroska.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from voice_core.audio.containers import mp4
from voice_core.audio.containers.mp4_boxes import Box, file_boxes
from voice_core.audio.other_recordings import OVERLAP_BYTES, SEARCHED_BYTES, check_end, check_for_others
from voice_core.audio.sniff import MAGIC_BYTES, magic_name
from voice_core.audio.wav import data_bytes
from voice_core.domain.errors import InvalidAudio

_MOST_PARTS = 2_000
_MOST_CHUNKS = 20_000
"""Chunks of all parts; both limits bound the work on a crafted file."""

_TRAILER_SHARE, _MP4_TRAILER_SHARE, _TRAILER_BYTES = 0.1, 0.5, 1_024
"""Most of the file that may follow the last recording: cameras append data of their own to an MP4."""

_W64_HEADER_BYTES, _W64_CHUNK_BYTES, _W64_ALIGNMENT = 40, 24, 8
_BOXES = (b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"free", b"skip", b"wide", b"uuid", b"meta", b"styp", b"sidx")
"""Boxes that a file which was cut may end in; others that pass its end are no boxes."""

_MOST_FRAGMENT_BYTES = 65_536
"""Bytes of the index of a fragment in which its time is searched."""

_MAGICS: Mapping[str, re.Pattern[bytes]] = {
    "amr": re.compile(rb"#!AMR(?:-WB)?\n"),
    "au": re.compile(rb"\.snd\0\0"),
    "flac": re.compile(rb"fLaC[\0\x80]\0\0\x22"),
    "ogg": re.compile(rb"OggS\0\x02"),
}
"""The first bytes of a file: in FLAC with the header of STREAMINFO, in Ogg with the flag of a stream's first page."""

_MAGIC_BYTES, _STEP_BYTES = 9, 1 << 20
"""Longest of these, and bytes that are searched at a time."""

_MOST_MAGICS = 10_000
_MOST_SEARCHED_BYTES = 1 << 27
"""Size up to which a file is searched, since all of it must be read for that: hours of Opus, half an hour of FLAC."""

_BARE = ("mp3", "aac", "latm")
_STREAMS = (*_MAGICS, *_BARE, "webm", "mkv")
"""Containers whose end only the end of the file shows."""

_OGG_HEADER_BYTES = 27


class Part(NamedTuple):
    """A complete file in a file: where it begins, and where it ends."""

    start: int
    end: int


class _Chunk(NamedTuple):
    size: int
    """Bytes, with its header."""
    sound: bool = False
    """Whether it holds the sound."""
    last: bool = False
    """Whether it extends to the end of the file."""


def parts(name: str, file: io.IOBase) -> list[Part]:
    """The files in *file*, which begins as a container called *name*; bytes after the last one belong to it.

    Raises:
        InvalidAudio: ``audio-unreadable``; most of the file, or another container in it, would not be heard.
    """
    size = file.seek(0, io.SEEK_END)
    if name in _STREAMS:
        _check_stream(name, file, size)
    if name in mp4.NAMES:
        starts, end = _mp4_starts(file, size)
    elif name in _MAGICS:
        starts, end = _magic_starts(name, file, size), size
    elif name in _CHUNKED:
        starts, end = _chunked_starts(name, file, size)
    else:
        starts, end = [0], size
    if len(starts) > _MOST_PARTS:
        raise _too_many()
    if end < size:
        file.seek(end)
        check_end(file.read(SEARCHED_BYTES), name)
    share = _MP4_TRAILER_SHARE if name in mp4.NAMES else _TRAILER_SHARE
    if size - end > max(share * size, _TRAILER_BYTES) or _begins_another(file, end, size):
        detail = "After the end of the recording, the file goes on with bytes that cannot be read. Send each part by"
        raise InvalidAudio(f"{detail} itself.")
    return [Part(start, following) for start, following in zip(starts, (*starts[1:], size), strict=True)]


def _check_stream(name: str, file: io.IOBase, size: int) -> None:
    """Refuse recordings of another kind behind a stream, which are searched up to `_MOST_SEARCHED_BYTES`."""
    for at in range(0, size if size <= _MOST_SEARCHED_BYTES else 0, _STEP_BYTES):
        file.seek(at)
        check_for_others(file.read(_STEP_BYTES + OVERLAP_BYTES), name)
    if name not in _BARE:
        file.seek(max(0, size - SEARCHED_BYTES))
        check_end(file.read(SEARCHED_BYTES), name)


def _too_many() -> InvalidAudio:
    return InvalidAudio("The recording consists of too many files. Join them into one.")


def _begins_another(file: io.IOBase, at: int, size: int) -> bool:
    """Whether another kind of recording begins at this offset."""
    return at < size and magic_name(_head(file, at)) not in (None, *mp4.NAMES)


def _head(file: io.IOBase, at: int) -> bytes:
    file.seek(at)
    head: bytes = file.read(MAGIC_BYTES)
    return head


def _mp4_starts(file: io.IOBase, size: int) -> tuple[list[int], int]:
    """Where files begin, and where the boxes end.

    A recorder that streams may repeat the beginning of a file before any fragment. That begins another file only if the
    time of the fragment begins again.
    """
    starts, end = [0], size
    kinds: set[bytes] = set()
    repeated: int | None = None
    for box in file_boxes(file):
        if box.kind == b"ftyp" and {b"moov", b"mdat"} <= kinds:
            kinds, repeated = set(), box.start
        elif repeated is not None and box.kind in (b"moof", b"mdat"):
            if box.kind == b"mdat" or not _decode_time(file, box):
                starts.append(repeated)
            repeated = None
        if b"mdat" in kinds and (not box.kind or (box.end > size and box.kind not in _BOXES)):
            end = box.start
            break
        kinds.add(box.kind)
    return starts, end


def _decode_time(file: io.IOBase, fragment: Box) -> int:
    """Time at which a *fragment* begins, in ticks (ISO 14496-12, 8.8.12); 0 if it has none."""
    file.seek(fragment.start)
    index = file.read(min(fragment.end - fragment.start, _MOST_FRAGMENT_BYTES))
    at = index.find(b"tfdt")
    if at < 0:
        return 0
    start = at + 8
    return int.from_bytes(index[start : start + (8 if index[at + 4 : at + 5] == b"\1" else 4)])


def _magic_starts(name: str, file: io.IOBase, size: int) -> list[int]:
    """Where files begin whose magic numbers, of 48 bits and more, hardly occur by chance."""
    pattern = _MAGICS[name]
    found: list[int] = []
    for at in range(0, size if size <= _MOST_SEARCHED_BYTES else 0, _STEP_BYTES):
        file.seek(at)
        block = file.read(_STEP_BYTES + _MAGIC_BYTES - 1)
        found += [at + start.start() for start in pattern.finditer(block) if start.start() < _STEP_BYTES]
        if len(found) > _MOST_MAGICS:
            raise _too_many()
    starts = list(_first_pages(file, found)) if name == "ogg" else found
    return starts if starts[:1] == [0] else [0, *starts]


def _first_pages(file: io.IOBase, found: Sequence[int]) -> Iterator[int]:
    """The first of each group of pages that begin a stream: those of several streams come together (RFC 3533, 4)."""
    end = -1
    for start in found:
        if start != end:
            yield start
        file.seek(start + _OGG_HEADER_BYTES - 1)
        lacing = file.read(256)
        end = start + _OGG_HEADER_BYTES + lacing[0] + sum(lacing[1 : 1 + lacing[0]]) if lacing else -1


def _chunked_starts(name: str, file: io.IOBase, size: int) -> tuple[list[int], int]:
    """Where files begin, and where the chunks of the last one end."""
    header_bytes, measured = _CHUNKED[name]
    starts: list[int] = []
    at, head, sound = 0, _head(file, 0), False
    for _ in range(_MOST_CHUNKS):
        if at >= size:
            return starts, size
        if magic_name(head) == name:
            starts.append(at)
            first, at = head, at + header_bytes
            head = _head(file, at)
            continue
        chunk = measured(head, first)
        if chunk and not chunk.sound and at + chunk.size > size:
            chunk = None
        if chunk is None or chunk.last:
            return starts, size if chunk or not sound else at
        sound |= chunk.sound
        at = min(at + chunk.size, size)
        head = _head(file, at)
        if name in ("wav", "aiff") and chunk.size % 2 and (head[:1] == b"\0" or magic_name(head[1:]) == name):
            at, head = at + 1, head[1:] + b"\0"
    raise InvalidAudio("The recording has too many chunks. Send the recorder's file as it is.")


def _riff_chunk(head: bytes, first: bytes) -> _Chunk | None:
    """The chunk that begins with *head*, of a file that begins with *first*."""
    if len(head) < 8 or not _printable(head[:4]):
        return None
    size = int.from_bytes(head[4:8], "big" if first.startswith(b"RIFX") else "little")
    sound = head.startswith(b"data")
    return _Chunk(8 + size, sound, sound and data_bytes(size) is None)


def _aiff_chunk(head: bytes, _first: bytes) -> _Chunk | None:
    if len(head) < 8 or not _printable(head[:4]):
        return None
    return _Chunk(8 + int.from_bytes(head[4:8]), head.startswith(b"SSND"))


def _w64_chunk(head: bytes, _first: bytes) -> _Chunk | None:
    size = int.from_bytes(head[16:24], "little")
    if size < _W64_CHUNK_BYTES:
        return None
    return _Chunk(size + -size % _W64_ALIGNMENT, head.startswith(b"data"))


def _caf_chunk(head: bytes, _first: bytes) -> _Chunk | None:
    if len(head) < 12 or not _printable(head[:4]):
        return None
    size = int.from_bytes(head[4:12])
    return _Chunk(12 + size, head.startswith(b"data"), size >= 1 << 63)


def _printable(kind: bytes) -> bool:
    return all(32 <= byte < 127 for byte in kind)


_CHUNKED: Mapping[str, tuple[int, Callable[[bytes, bytes], _Chunk | None]]] = {
    "wav": (12, _riff_chunk),
    "aiff": (12, _aiff_chunk),
    "w64": (_W64_HEADER_BYTES, _w64_chunk),
    "caf": (8, _caf_chunk),
}
"""Size of the header of a file, and the chunk that begins with some bytes, by container."""
