"""Parts of a Matroska or WebM file that FFmpeg sees: its sound, and track descriptions such as recorders write."""

import io

from voice_core.audio.containers.matroska_codecs import LaterCodecs, codecs
from voice_core.audio.containers.matroska_elements import (
    ALGORITHM,
    COMPRESSION,
    ENCODING,
    ENTRY,
    MOST_ELEMENTS,
    NESTED,
    PRIVATE,
    SETTINGS,
    TRACKS,
    Element,
    elements,
    number,
)
from voice_core.audio.containers.opus import check_channels
from voice_core.audio.containers.tags import MATROSKA_UNKNOWN, Hide, defaced, patched
from voice_core.audio.other_recordings import check_for_others
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat

_CLUSTER = b"\x1f\x43\xb6\x75"
"""The id of the elements that hold the sound (RFC 9559, 5.1.3)."""

_SOUGHT = b"\x53\xab\x84" + TRACKS
"""The same id in a SeekHead, which has the position of the element."""

_SEGMENT = b"\x18\x53\x80\x67"
"""The id of the element that holds all of a file but its header (RFC 9559, 5.1)."""

_FILE = b"\x1a\x45\xdf\xa3"
"""The id of the header of a file (RFC 8794, 11.2.1)."""

_VOID = 0xEC
"""The id of an element without a meaning (RFC 8794, 11.3.2)."""

_HEAD_BYTES = 1 << 20
"""The description must be within so many bytes and before the sound; a later one is hidden from FFmpeg."""

_HEADER_STRIPPING = 3
"""The only compression that cannot make gigabytes of a megabyte (RFC 9559, 5.1.4.1.31.6)."""

_MOST_TRACKS = 32
_MOST_PRIVATE_BYTES = 32_768
"""Codec private data. That of FLAC holds titles, and that of Vorbis takes 8 kB."""

_MOST_SETTINGS_BYTES = 64
"""Bytes stripped from each frame, which FFmpeg puts back before it: a header has a few."""


def hiding(file: io.IOBase) -> Hide:
    """The filter that makes titles, chapters, attachments, indices and late track descriptions unreadable.

    It raises InvalidAudio for a file that follows in another codec.

    Raises:
        InvalidAudio: ``audio-unreadable``; no recorder writes such a description.
        UnsupportedFormat: ``audio-format-unsupported``; a track is compressed.
    """
    file.seek(0)
    first = file.read(_HEAD_BYTES)
    end = head_bytes(first) or len(first)
    head = _unsought(first[:end])
    check_channels(head)
    at, count = head.find(TRACKS), 0
    known: set[tuple[bytes, ...]] = set()
    while at >= 0:
        size, body = number(head, at + len(TRACKS), keep_marker=False)
        if len(first) == _HEAD_BYTES < body + size or count == _MOST_TRACKS:
            raise _no_recording()
        tracks = list(elements(head, body, min(body + size, len(head))))
        _check(tracks)
        known |= codecs(tracks)
        at, count = head.find(TRACKS, at + 1), count + 1
    return _View(end, LaterCodecs(known, end)).shown


def head_bytes(data: bytes | bytearray) -> int | None:
    """The size of the part before the sound, or `_HEAD_BYTES` if that is less; None while it is unknown."""
    data = _unsought(bytes(data))
    at = data.find(TRACKS)
    if at >= 0:
        size, body = number(data, at + len(TRACKS), keep_marker=False)
        cluster = data.find(_CLUSTER, body + size)
        if 0 <= cluster <= _HEAD_BYTES:
            return cluster
    return _HEAD_BYTES if len(data) >= _HEAD_BYTES else None


class _View:
    """A file whose sound begins at *end*, as FFmpeg sees it: one segment of unknown size.

    Of several files that follow one another, FFmpeg would leave some out. So the headers of all but the first become
    elements without a meaning. Tracks that are described after *end* are hidden.
    """

    def __init__(self, end: int, codecs: LaterCodecs) -> None:
        self._end = end
        self._codecs = codecs
        self._header: dict[int, bytes] = {}
        """The last segment's header, which may continue in the next piece: its offset, and its bytes as shown."""

    def shown(self, start: int, data: bytes) -> bytes:
        """*data*, which begins at *start* of the file."""
        data = _unsought(data)
        self._codecs.check(start, data)
        check_for_others(data, "mkv")
        late = max(0, self._end - len(TRACKS) + 1 - start)
        later = data[late:].replace(TRACKS, MATROSKA_UNKNOWN).replace(_FILE, MATROSKA_UNKNOWN)
        data = patched(self._header, start, data[:late] + later)
        # A header whose size is not in this piece is in the next one.
        at = data.find(_SEGMENT, 0, -1)
        while at >= 0:
            self._header = {start + at: self._segment(start + at, data[at + len(_SEGMENT)])}
            data = patched(self._header, start, data)
            at = data.find(_SEGMENT, at + len(_SEGMENT), -1)
        return defaced(data, "mkv")

    def _segment(self, at: int, size: int) -> bytes:
        """The header to show at this offset; *size* is the first byte of its size."""
        length = 9 - size.bit_length() if size else 1
        if at < self._end:
            return _SEGMENT + bytes((0xFF >> length - 1,)) + b"\xff" * (length - 1)
        return bytes((_VOID, 0x80 | len(_SEGMENT) + length - 2))


def _unsought(data: bytes) -> bytes:
    return data.replace(_SOUGHT, _SOUGHT[: -len(TRACKS)] + MATROSKA_UNKNOWN)


def _check(tracks: list[Element]) -> None:
    """Refuse a description that no recorder writes."""
    count = sum(kind == ENTRY for kind, _, _ in tracks)
    longest = max((size for kind, _, size in tracks if kind == PRIVATE), default=0)
    stripped = max((size for kind, _, size in tracks if kind == SETTINGS), default=0)
    if len(tracks) == MOST_ELEMENTS or count > _MOST_TRACKS or longest > _MOST_PRIVATE_BYTES:
        raise _no_recording()
    if stripped > _MOST_SETTINGS_BYTES:
        raise _no_recording()
    _check_packing(tracks)


def _check_packing(tracks: list[Element]) -> None:
    """Refuse every encoding except header stripping. An encoding without an algorithm is zlib."""
    unsaid = 0
    for kind, body, _ in (*tracks, Element(ENTRY, b"", 0)):
        ends = unsaid and kind in NESTED and (unsaid, kind) != (ENCODING, COMPRESSION)
        if ends or (kind == ALGORITHM and int.from_bytes(body[:8]) != _HEADER_STRIPPING):
            detail = "A track of the recording is compressed once more, which is not supported. Record it without that."
            raise UnsupportedFormat(detail, code="audio-format-unsupported")
        if kind in (ENCODING, COMPRESSION, ALGORITHM):
            unsaid = 0 if kind == ALGORITHM else kind


def _no_recording() -> InvalidAudio:
    return InvalidAudio("The tracks of the file are not those of a recording. Send the recorder's file as it is.")
