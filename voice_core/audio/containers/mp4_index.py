"""The memory that FFmpeg allocates for the index of an MP4 or MOV file.

A table of a few bytes can announce any number of samples, and libavformat makes an entry of 24 bytes for each, and more
in addition (libavformat/mov.c, ``mov_build_index`` and ``mov_read_trun``). We search for tables by name wherever FFmpeg
may find them, which is in any box except that of the media.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from voice_core.audio.containers.mp4_boxes import Box, boxes
from voice_core.domain.errors import InvalidAudio

MOST_ENTRIES = 1_000_000
"""Entries of all tracks together: four hours of compressed sound at 50 packets a second have 720,000."""

_MOST_EDITS = 16
_MOST_TABLES = 20_000
"""Tables of one kind; the limit bounds the work on a crafted file."""

_MOST_FRAGMENTS = 400_000
_MOST_TRACKS = 100
"""FFmpeg accepts 32; here each part of the index between two tracks counts as well."""

_PCM_STEP = 1024
"""Samples of PCM in one entry."""

_GSM_STEP = 160
"""Samples of PCM in one entry where the packets may be GSM."""

_NOT_SOUND = (b"vide", b"subp", b"clcp")
"""Handlers of tracks whose samples are indexed one by one."""


def check_index(index: bytes) -> None:
    """Refuse an *index* (a file without its media) that announces more than a recording can hold.

    Raises:
        InvalidAudio: ``audio-unreadable``.
    """
    tracks = _tracks(index)
    entries = sum(track.entries() for track in tracks)
    entries += sum(_number(index, at + 4) for at in _found(index, b"trun", most=_MOST_FRAGMENTS))
    # FFmpeg allocates something for each fragment of each track.
    entries += index.count(b"moof") * len(tracks)
    edits = sum(_edits(index, at) for at in _found(index, b"elst"))
    if entries > MOST_ENTRIES or edits > _MOST_EDITS or b"cmov" in index:
        raise no_recording()


def no_recording() -> InvalidAudio:
    return InvalidAudio("The index of the file is not that of a recording. Send the recorder's file as it is.")


@dataclass(frozen=True, slots=True)
class _Track:
    """Part of an index whose tables belong to one track."""

    index: bytes
    start: int
    end: int
    box: Box | None
    """The box of the track; None where FFmpeg sees no track."""

    def entries(self) -> int:
        """Entries that FFmpeg makes for the track, at most."""
        samples = max((*self._numbers(b"stsz", 8), *self._numbers(b"stz2", 8)), default=0)
        chunks = max((*self._numbers(b"stco", 4), *self._numbers(b"co64", 4)), default=0)
        step = min((self._step(at) for at in self._found(b"stsd")), default=_PCM_STEP)
        entries = max((_chunk_entries(self.index, at, chunks, step) for at in self._found(b"stsc")), default=0)
        if not self._is_pcm():
            entries = max(entries, samples)
        # Every edit repeats the entries that it plays; the first of several may be a pause.
        return entries * max(1, sum(_edits(self.index, at) for at in self._found(b"elst")) - 1)

    def _is_pcm(self) -> bool:
        """Whether FFmpeg certainly indexes the track by chunks: it is sound, and each sample lasts one tick."""
        handlers = [self.index[at + 8 : at + 12] for at in self._found(b"hdlr")]
        times = [(number, self._number(at + 12)) for number, at in self._counted(b"stts", 4)]
        return self._is_sound() and times == [(1, 1)] and not any(kind in _NOT_SOUND for kind in handlers)

    def _is_sound(self) -> bool:
        media = [box for box in self._children(self.box) if box.kind == b"mdia"]
        handlers = [box for part in media for box in self._children(part) if box.kind == b"hdlr"]
        return [self.index[box.body + 8 : box.body + 12] for box in handlers] == [b"soun"]

    def _step(self, at: int) -> int:
        """Samples in one entry, by the sound description at *at* (QuickTime File Format)."""
        version = int.from_bytes(self.index[at + 24 : at + 26])
        packet = {0: 1, 1: self._number(at + 44), 2: self._number(at + 76)}.get(version, 1)
        if self._number(at + 4) != 1 or self.index[at + 12 : at + 16] == b"agsm":
            return _GSM_STEP
        return min(packet, _PCM_STEP) if packet >= _GSM_STEP else _PCM_STEP // max(1, packet) * max(1, packet)

    def _children(self, box: Box | None) -> Iterator[Box]:
        return boxes(self.index, box.body, box.end) if box else iter(())

    def _found(self, kind: bytes) -> Iterator[int]:
        return _found(self.index, kind, self.start, self.end)

    def _numbers(self, kind: bytes, offset: int) -> Iterator[int]:
        return (_number(self.index, at + offset) for at in self._found(kind))

    def _counted(self, kind: bytes, offset: int) -> Iterator[tuple[int, int]]:
        return ((_number(self.index, at + offset), at) for at in self._found(kind))

    def _number(self, at: int) -> int:
        return _number(self.index, at)


def _tracks(index: bytes) -> list[_Track]:
    """All tracks, and the parts between them, which may have tables too."""
    tracks: list[_Track] = []
    at = 0
    for box in _boxes_of_tracks(index):
        tracks += _strays(index, at, box.start)
        at = min(box.end, len(index))
        tracks.append(_Track(index, box.start, at, box))
    tracks += _strays(index, at, len(index))
    # FFmpeg searches all of these tables for each fragment.
    if len(tracks) > _MOST_TRACKS or any(index.count(name) > _MOST_TRACKS for name in (b"stsc", b"trex")):
        raise no_recording()
    return tracks


def _boxes_of_tracks(index: bytes) -> Iterator[Box]:
    """The boxes that FFmpeg accepts as tracks: in the index, or beside it."""
    for box in boxes(index):
        for child in boxes(index, box.body, box.end) if box.kind == b"moov" else (box,):
            if child.kind == b"trak":
                yield child


def _strays(index: bytes, start: int, end: int) -> Iterator[_Track]:
    """Other parts named as a track between two offsets, and the part before them."""
    starts = [at - 8 for at in _found(index, b"trak", start, end)]
    return (_Track(index, first, last, None) for first, last in pairwise((start, *starts, end)))


def _chunk_entries(index: bytes, at: int, chunks: int, step: int) -> int:
    """Entries of PCM in *chunks*, by the table at *at* of the samples in each (ISO 14496-12, 8.7.4)."""
    rows = min(_number(index, at + 4), (len(index) - at - 8) // 12)
    if rows <= 0:
        return 0
    first, samples, _ = np.frombuffer(index, ">u4", 3 * rows, at + 8).reshape(-1, 3).astype(np.int64).T
    each = -(-samples // step)
    counts = np.diff(np.clip(np.append(first, chunks + 1), 1, chunks + 1))
    if first[0] != 1 or (np.diff(first) <= 0).any() or not samples.all():
        # FFmpeg repairs such a table: assume the most entries.
        return chunks * int(each.max())
    return int((counts * each).sum())


def _edits(index: bytes, at: int) -> int:
    """Edits in the list at *at*: its count or the number that its size allows, whichever is more."""
    size = _number(index, at - 8)
    return max(_number(index, at + 4), (size - 16) // 12) if size >= 16 else _MOST_EDITS + 1


def _found(
    index: bytes, kind: bytes, start: int = 0, end: int | None = None, most: int = _MOST_TABLES
) -> Iterator[int]:
    """Offsets behind the name *kind*, wherever it occurs.

    Raises:
        InvalidAudio: ``audio-unreadable``; it occurs too often.
    """
    at = index.find(kind, start, end)
    for _ in range(most):
        if at < 0:
            return
        yield at + 4
        at = index.find(kind, at + 4, end)
    raise no_recording()


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4])
