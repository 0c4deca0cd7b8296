"""The samples of WAV files that follow one another in a stream, as recorders write that cut a recording into slices.

Each slice may have a header of its own, or only the first. Other chunks may be between the samples.
"""

import re
import sys
from collections.abc import Iterator, Sequence

from voice_core.audio.bare_frames import begins_like_a_frame
from voice_core.audio.containers.tags import id3_bytes
from voice_core.audio.limits import Limits
from voice_core.audio.other_recordings import goes_on
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.sniff import FRAMES_BYTES, sniff
from voice_core.audio.wav import RIFF_KINDS, WavHeader, data_bytes, read_header
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat

Run = tuple[RawPcm, bytes]
"""Samples and their layout; no bytes where a file begins."""

_START_BYTES = 12
"""``RIFF``, a size and ``WAVE``: these bytes begin a file, wherever they are."""

_START = re.compile(rb"(?:%b)....WAVE" % b"|".join(RIFF_KINDS), re.DOTALL)

_STEP_BYTES = 64
"""Bytes after which an incomplete header is read again: each attempt has a fixed cost."""

_LONGEST_HEADER_BYTES = 1 << 20
"""Bytes before the samples of a file; they are held in memory."""

_HEADLESS_BYTES = 1_024
"""Fewer bytes after the samples are dropped when they are no chunk: some programs append a tag of 128 bytes."""

_LONGEST_UNKNOWN_BYTES = 65_536
"""Longest chunk of a name that is not in `_NAMES`. It is a chunk if the end or something known comes after it."""

_NAMES = (
    *(b"LIST", b"list", b"fact", b"JUNK", b"junk", b"FLLR", b"PAD ", b"bext", b"iXML", b"axml", b"chna", b"cart"),
    *(b"cue ", b"plst", b"smpl", b"inst", b"id3 ", b"ID3 ", b"PEAK", b"afsp", b"DISP", b"acid", b"minf", b"elm1"),
    *(b"regn", b"umid", b"_PMX", b"strc", b"r64m", b"ds64", b"fmt ", b"levl", b"link"),
)
"""Chunks without sound."""

_ID3 = (b"ID3\x02", b"ID3\x03", b"ID3\x04")

_MOST_CHUNKS = 64
"""Chunks after the samples of one file."""

_MOST_PARTS, _PARTS_PER_SECOND = 100, 10
"""Files in a stream, and more for each second of sound; the limit bounds the work on a crafted stream."""


class WavStream:
    """Reads a stream from the first sample on; it may be cut into pieces anywhere."""

    def __init__(self, header: WavHeader, layout: RawPcm, limits: Limits) -> None:
        """*layout* is that of *header*, the header of the first file."""
        self._limits = limits
        self._held = bytearray()
        self._step = self._samples
        self._parts = 0
        self._seconds = 0.0
        self._begin(header, layout)

    def feed(self, data: bytes) -> Iterator[Run]:
        """The samples in *data*, and in what was held back before.

        Raises:
            InvalidAudio: ``audio-unreadable``; it goes on with something that is no recording.
            TooLarge: a header announces too much.
            UnsupportedFormat: ``audio-format-unsupported``; it goes on with another codec.
        """
        self._held += data
        while self._held and (runs := self._step(final=False)) is not None:
            yield from runs

    def finish(self) -> Iterator[Run]:
        """The samples that were held back. Raises as `feed`."""
        while self._held and (runs := self._step(final=True)) is not None:
            yield from runs

    def _begin(self, header: WavHeader, layout: RawPcm) -> None:
        """Start with the samples of the next file."""
        announced = header.data_bytes or 0
        self._limits.check_bytes(announced)
        self._limits.check_seconds(self._seconds + layout.seconds(announced))
        self._parts += 1
        if self._parts > _MOST_PARTS + _PARTS_PER_SECOND * self._seconds:
            raise InvalidAudio("The recording consists of too many files for its length. Join them into one.")
        self._layout, self._order, self._chunks = layout, header.order, 0
        self._take(header.data_bytes, silent=False)

    def _take(self, count: int | None, *, silent: bool) -> None:
        """Read the next *count* bytes, or all, as samples; if *silent*, drop them."""
        self._left = sys.maxsize if count is None else count
        self._odd = self._left % 2 == 1 and count is not None
        self._silent = silent
        self._step = self._samples

    def _samples(self, *, final: bool) -> Sequence[Run] | None:
        """The samples, or the content of a chunk, up to their end or to the start of another file."""
        end = min(len(self._held), self._left)
        start = _file_start(self._held, end)
        if start is not None:
            taken, self._step, self._retry_bytes = start, self._header, 0
        else:
            taken = end
            if end == len(self._held) and not final:
                taken -= _possible_start_bytes(self._held)
            self._left -= taken
            if not self._left:
                self._step = self._between
            elif not taken:
                return None
        samples = bytes(self._held[:taken])
        del self._held[:taken]
        if self._silent or not samples:
            return ()
        self._seconds += self._layout.seconds(taken)
        return ((self._layout, samples),)

    def _header(self, *, final: bool) -> Sequence[Run] | None:
        """The header of another file."""
        if len(self._held) < self._retry_bytes and not final:
            return None
        header = read_header(self._held)
        if header is None:
            if len(self._held) > _LONGEST_HEADER_BYTES:
                raise InvalidAudio("A WAV in the recording has no samples within its first MiB. Send it without that.")
            self._retry_bytes = len(self._held) + _STEP_BYTES
            return None
        if header.layout is None:
            detail = "The recording consists of WAV files in different codecs. Send each by itself."
            raise UnsupportedFormat(detail, code="audio-format-unsupported")
        del self._held[: header.data_offset]
        self._begin(header, header.layout)
        return ((header.layout, b""),)

    def _between(self, *, final: bool) -> Sequence[Run] | None:
        """The part behind samples or a chunk: a file, a chunk, or samples without a header."""
        if len(self._held) <= _START_BYTES and not final:
            return None
        if self._odd and not self._held.startswith((*RIFF_KINDS, *_NAMES)):
            del self._held[:1]
        self._odd = False
        if _file_start(self._held, 1) == 0:
            self._step, self._retry_bytes = self._header, 0
            return ()
        kind, size = bytes(self._held[:4]), int.from_bytes(self._held[4:8], self._order)
        if kind == b"data":
            del self._held[:8]
            self._take(data_bytes(size), silent=False)
        elif (skipped := self._chunk_bytes(kind, size, final=final)) is None:
            return None
        elif skipped:
            self._chunks += 1
            if self._chunks > _MOST_CHUNKS:
                raise InvalidAudio("The WAV has too many chunks after its samples. Send the recorder's file as it is.")
            self._take(skipped, silent=True)
            self._odd = size % 2 == 1 and kind not in _ID3
        else:
            return self._headless(final=final)
        return ()

    def _headless(self, *, final: bool) -> Sequence[Run] | None:
        """Samples without a header, unless the bytes here begin a recording in another format."""
        enough = FRAMES_BYTES if begins_like_a_frame(self._held) else _HEADLESS_BYTES
        if len(self._held) < enough and not final:
            return None
        if sniff(self._held) is not None:
            raise goes_on()
        if len(self._held) < _HEADLESS_BYTES:
            self._held.clear()
        else:
            self._take(None, silent=False)
        return ()

    def _chunk_bytes(self, kind: bytes, size: int, *, final: bool) -> int | None:
        """Size of the chunk that begins here, 0 if none does; None while that is unknown."""
        if kind in _ID3:
            return id3_bytes(self._held)
        if kind in _NAMES:
            return 8 + size
        if size > _LONGEST_UNKNOWN_BYTES or not all(32 <= byte < 127 for byte in kind):
            return 0
        end = 8 + size
        if len(self._held) < end + 5 and not final:
            return None
        known = (*RIFF_KINDS, *_NAMES, b"data")
        follows = self._held.startswith(known, end) or self._held.startswith(known, end + size % 2)
        return end if follows or end <= len(self._held) <= end + size % 2 else 0


def _file_start(data: bytearray, end: int) -> int | None:
    """Offset of the first file that begins before *end*."""
    limit = end + _START_BYTES - 1
    # Nearly always there is none, and that is found out ten times faster without a pattern.
    at = data.find(b"WAVE", 8, limit)
    found = _START.search(data, at - 8, limit) if at >= 0 else None
    return found.start() if found else None


def _possible_start_bytes(data: bytearray) -> int:
    """Length of the end of *data* with which a file may begin."""
    longest = _START_BYTES - 1
    if data.find(b"R", -longest) < 0 and data.find(b"B", -longest) < 0:
        return 0
    for count in range(min(len(data), longest), 0, -1):
        tail = bytes(data[-count:])
        named = any(kind.startswith(tail[:4]) for kind in RIFF_KINDS)
        if named and b"WAVE".startswith(tail[8:]):
            return count
    return 0
