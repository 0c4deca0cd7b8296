"""Restores files that have lost their first 45 bytes.

A client that means to remove a WAV header of 44 bytes, and removes 59 characters of the file's base64 instead, leaves
byte 45 and the following ones. They are plain PCM only if the header had 44 bytes: iPhones put chunks of filler into
it, and recordings that Android calls WAV are AAC in 3GP.
"""

from collections.abc import Iterator

from voice_core.audio.containers.mp4_boxes import Box, boxes
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.wav import read_header
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat

LOST_BYTES = 45

_SAMPLES_OFFSET = 46
"""Offset of the second 16-bit sample in a file with a header of 44 bytes; the first sample has lost a byte."""

_HEADER_BYTES = 65_536
"""``fmt`` and ``data`` chunks are searched for in so many bytes."""

_TRIES = 16
"""More matches of a name than a real file has; the limit bounds the work on a crafted file."""

_FILE_BOXES = (b"ftyp", b"free", b"skip", b"wide", b"mdat", b"moov", b"moof", b"mfra", b"sidx", b"styp")
_FTYP_BYTES, _MVHD_BYTES = 16, 108


def restored(tail: bytes) -> tuple[bytes, RawPcm | None]:
    """The file whose bytes from 45 on are *tail*; if it cannot be restored, its samples and their likely layout."""
    if file := _restored_mp4(tail) or _restored_wav(tail):
        return file, None
    return _samples(tail), RawPcm()


def _restored_mp4(tail: bytes) -> bytes | None:
    file = bytearray(LOST_BYTES) + tail
    if (moov := _whole_index(file)) is not None:
        # All bytes before the index count as media: the index has the position of the sound in them.
        _write_box(file, 0, b"ftyp", _FTYP_BYTES)
        _write_box(file, _FTYP_BYTES, b"mdat", moov - _FTYP_BYTES)
    elif (trak := _first_track(file)) is not None:
        # The index came first and lost its start: the box before its first track is its header, of fixed size.
        mvhd = trak - _MVHD_BYTES
        moov = mvhd - 8
        _write_box(file, 0, b"ftyp", moov)
        _write_box(file, moov, b"moov", _index_end(file, trak) - moov)
        _write_box(file, mvhd, b"mvhd", _MVHD_BYTES)
    else:
        return None
    file[8:12] = b"3gp4"
    return bytes(file)


def _whole_index(file: bytearray) -> int | None:
    """Offset of the ``moov`` box, if it is complete."""
    for at in _found(file, b"moov"):
        chain = list(boxes(file, at - 4))
        if file.startswith(b"mvhd", at + 8) and _ends(chain, file) and all(box.kind in _FILE_BOXES for box in chain):
            return at - 4
    return None


def _first_track(file: bytearray) -> int | None:
    """Offset of the first ``trak`` box, if the boxes that must precede it fit before it, and media follow."""
    for at in _found(file, b"trak"):
        chain = list(boxes(file, at - 4))
        roomy = at - 4 >= _FTYP_BYTES + 8 + _MVHD_BYTES
        if roomy and _ends(chain, file) and any(box.kind == b"mdat" for box in chain):
            return at - 4
    return None


def _ends(chain: list[Box], file: bytearray) -> bool:
    """Whether the *chain* of boxes leads to the end of the file; from bytes that only look like a name it does not."""
    return bool(chain) and chain[-1].end == len(file)


def _index_end(file: bytearray, trak: int) -> int:
    """End of the ``moov`` box around the track at *trak*: the offset of the first box that cannot be in it."""
    return next(box.start for box in boxes(file, trak) if box.kind in _FILE_BOXES)


def _write_box(file: bytearray, start: int, kind: bytes, size: int) -> None:
    file[start : start + 8] = size.to_bytes(4) + kind


def _restored_wav(tail: bytes) -> bytes | None:
    """A WAV from its ``fmt`` chunk on, if that is not among the lost bytes."""
    for at in _found(tail[:_HEADER_BYTES], b"fmt "):
        file = b"RIFF\xff\xff\xff\xffWAVE" + tail[at:]
        if _has_samples(file):
            return file
    return None


def _has_samples(file: bytes) -> bool:
    try:
        return read_header(file) is not None
    except (InvalidAudio, UnsupportedFormat):
        return False


def _samples(tail: bytes) -> bytes:
    """Contents of the ``data`` chunk, if there is one; otherwise all complete samples after a header of 44 bytes."""
    for at in _found(tail[:_HEADER_BYTES], b"data"):
        size, start = int.from_bytes(tail[at + 4 : at + 8], "little"), at + 8
        if _ends_with_chunks(tail, start + size):
            return tail[start : start + size]
        if not tail[:at].strip(b"\0"):
            # Only filler is before it: it is the chunk, even if its size is wrong.
            return tail[start:]
    return tail[_SAMPLES_OFFSET - LOST_BYTES :]


def _ends_with_chunks(tail: bytes, at: int) -> bool:
    """Whether a few consecutive chunks from *at* on end at the end of the file."""
    for _ in range(_TRIES):
        if at + 8 > len(tail):
            break
        at += at % 2 == 0
        at += 8 + int.from_bytes(tail[at + 4 : at + 8], "little")
    return len(tail) - 1 <= at <= len(tail) + 1


def _found(data: bytes | bytearray, name: bytes) -> Iterator[int]:
    """Offsets of *name* in *data*, at most `_TRIES` of them."""
    at = -1
    for _ in range(_TRIES):
        at = data.find(name, at + 1)
        if at < 0:
            return
        yield at
