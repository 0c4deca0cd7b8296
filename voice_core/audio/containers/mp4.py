"""Parts of an MP4 or MOV file that are hidden from FFmpeg: boxes that cost time or memory, and that no sound needs."""

import io
from bisect import bisect_left
from collections.abc import Sequence
from functools import partial

from voice_core.audio.containers.mp4_boxes import file_boxes
from voice_core.audio.containers.mp4_index import check_index, no_recording
from voice_core.audio.containers.opus import check_channels
from voice_core.audio.containers.tags import Hide
from voice_core.audio.limits import empty
from voice_core.domain.errors import InvalidAudio

NAMES = ("mp4", "m4a", "3gp", "mov")

_Span = tuple[int, int]
"""Start and end in the file, offsets in bytes."""

_MOST_INDEX_BYTES = 32 << 20
"""The index of a day's sound takes 20 MB."""

_KEPT_TITLE_BYTES = 16_384
"""Titles up to this size stay: they are read quickly, and one of Apple's has the start of the sound (``iTunSMPB``)."""

_TITLES = (b"udta", b"meta", b"ilst", b"----")
_UNREAD = (
    *(b"keys", b"chpl", b"chap", b"tref", b"tmcd", b"uuid", b"Anev"),
    *(b"iloc", b"iinf", b"iprp", b"iref", b"pitm", b"idat", b"ispe", b"irot", b"imir"),
    *(b"sidx", b"mfra", b"tfra", b"hoov", b"dref", b"sdtp", b"stss", b"stps", b"sgpd", b"sbgp"),
    *(b"senc", b"saiz", b"saio", b"pssh", b"tenc", b"schm", b"strf", b"glbl", b"jp2h"),
)
"""Names that libavformat/mov.c knows, in its table of boxes or elsewhere."""

_SKIPPED = b"skip"
"""The name of a box without meaning (ISO 14496-12, 8.1.2)."""


def hiding(file: io.IOBase) -> Hide:
    """The filter that makes these boxes unreadable.

    Raises:
        InvalidAudio: ``audio-empty`` without media, ``audio-truncated`` without an index, or ``audio-unreadable``; its
            index promises more than a recording has.
    """
    spans, index = _index(file)
    check_channels(index)
    check_index(index)
    return partial(_renamed, spans, _UNREAD if _has_few_titles(index) else (*_UNREAD, *_TITLES))


def _index(file: io.IOBase) -> tuple[list[_Span], bytes]:
    """The parts of the file that are not media, and their contents. Clips are read once from end to end for that."""
    size = file.seek(0, io.SEEK_END)
    spans: list[_Span] = []
    parts: list[bytes] = []
    left = _MOST_INDEX_BYTES
    has_media = has_index = False
    for box in file_boxes(file):
        has_media |= box.kind == b"mdat" and box.body < size
        has_index |= box.kind == b"moov" and box.end <= size
        if box.kind != b"mdat":
            start = spans.pop()[0] if spans and spans[-1][1] == box.start else box.start
            spans.append((start, min(box.end, size)))
            left -= min(box.end, size) - box.start
            if left >= 0:
                file.seek(box.start)
                parts.append(file.read(box.end - box.start))
    if not has_media:
        raise empty()
    if not has_index:
        detail = "The recording ends before its index. Stop the recorder before you send its file."
        raise InvalidAudio(detail, code="audio-truncated")
    if left < 0:
        raise no_recording()
    return spans, b"".join(parts)


def _has_few_titles(index: bytes) -> bool:
    left = _KEPT_TITLE_BYTES
    for name in _TITLES:
        at = index.find(name)
        while at >= 0:
            # A box whose size is given in another way uses up the whole allowance.
            size = int.from_bytes(index[max(0, at - 4) : at])
            left -= size if size >= 8 else _KEPT_TITLE_BYTES + 1
            if left < 0:
                return False
            at = index.find(name, at + 4)
    return True


def _renamed(spans: Sequence[_Span], names: Sequence[bytes], start: int, data: bytes) -> bytes:
    """*data*, which begins at *start* of the file, with the *names* in these *spans* changed."""
    parts, at = [], start
    for span in spans[max(0, bisect_left(spans, (start, start)) - 1) : bisect_left(spans, (start + len(data), 0))]:
        first, last = max(span[0], at), min(span[1], start + len(data))
        if first < last:
            parts += [data[at - start : first - start], _without(names, data[first - start : last - start])]
            at = last
    return b"".join((*parts, data[at - start :]))


def _without(names: Sequence[bytes], part: bytes) -> bytes:
    for name in names:
        part = part.replace(name, _SKIPPED)
    return part
