"""Files that have lost their first 45 bytes, put together again.

A client that means to take a 44 byte WAV header off, and takes 59 characters off the base64 of the file instead, leaves
byte 45 and what follows. That is plain PCM only if the header had 44 bytes: iPhones put chunks of filler into it, and
what Android records under the name of WAV is AAC in 3GP.
"""

from collections.abc import Iterator

from voice_core.audio.containers.mp4_boxes import Box, boxes
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.wav import read_header
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat

LOST_BYTES = 45

_SAMPLES_OFFSET = 46
"""Of the second 16-bit sample in a file with a 44 byte header; the first has lost a byte."""

_HEADER_BYTES = 65_536
"""A ``fmt`` or ``data`` chunk that begins later is not looked for."""

_TRIES = 16
"""More of anything than a real file has; made-up ones must not keep us busy."""

_FILE_BOXES = (b"ftyp", b"free", b"skip", b"wide", b"mdat", b"moov", b"moof", b"mfra", b"sidx", b"styp")
_FTYP_BYTES, _MVHD_BYTES = 16, 108


def restored(tail: bytes) -> tuple[bytes, RawPcm | None]:
    """The file whose bytes from 45 on are *tail*, or else its samples and their likely layout."""
    if file := _restored_mp4(tail) or _restored_wav(tail):
        return file, None
    return _samples(tail), RawPcm()


def _restored_mp4(tail: bytes) -> bytes | None:
    file = bytearray(LOST_BYTES) + tail
    if (moov := _whole_index(file)) is not None:
        # All before the index is taken for media: the index says where in it the sound is.
        _write_box(file, 0, b"ftyp", _FTYP_BYTES)
        _write_box(file, _FTYP_BYTES, b"mdat", moov - _FTYP_BYTES)
    elif (trak := _first_track(file)) is not None:
        # The index came first and lost its beginning: the box before its first track, of fixed size, is its header.
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
    """Where the ``moov`` box begins, when nothing of it is lost."""
    for at in _found(file, b"moov"):
        chain = list(boxes(file, at - 4))
        if file.startswith(b"mvhd", at + 8) and _ends(chain, file) and all(box.kind in _FILE_BOXES for box in chain):
            return at - 4
    return None


def _first_track(file: bytearray) -> int | None:
    """Where the first ``trak`` box begins, when it has room for what must come before it and media after it."""
    for at in _found(file, b"trak"):
        chain = list(boxes(file, at - 4))
        roomy = at - 4 >= _FTYP_BYTES + 8 + _MVHD_BYTES
        if roomy and _ends(chain, file) and any(box.kind == b"mdat" for box in chain):
            return at - 4
    return None


def _ends(chain: list[Box], file: bytearray) -> bool:
    """Whether the *chain* of boxes leads to the end of the file, as it does not from bytes that happen to be a name."""
    return bool(chain) and chain[-1].end == len(file)


def _index_end(file: bytearray, trak: int) -> int:
    """Where the ``moov`` box that holds the track at *trak* ends: where boxes begin that cannot be in it."""
    return next(box.start for box in boxes(file, trak) if box.kind in _FILE_BOXES)


def _write_box(file: bytearray, start: int, kind: bytes, size: int) -> None:
    file[start : start + 8] = size.to_bytes(4) + kind


def _restored_wav(tail: bytes) -> bytes | None:
    """A WAV from its ``fmt`` chunk on, when that came late enough to be left."""
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
    """What a ``data`` chunk holds, where one is left; else all whole samples after a 44 byte header."""
    for at in _found(tail[:_HEADER_BYTES], b"data"):
        size, start = int.from_bytes(tail[at + 4 : at + 8], "little"), at + 8
        if _ends_with_chunks(tail, start + size):
            return tail[start : start + size]
        if not tail[:at].strip(b"\0"):
            # Filler led here: it is the chunk, whatever its size says.
            return tail[start:]
    return tail[_SAMPLES_OFFSET - LOST_BYTES :]


def _ends_with_chunks(tail: bytes, at: int) -> bool:
    """Whether a few chunks that follow one another from *at* on end where the file ends."""
    for _ in range(_TRIES):
        if at + 8 > len(tail):
            break
        at += at % 2 == 0
        at += 8 + int.from_bytes(tail[at + 4 : at + 8], "little")
    return len(tail) - 1 <= at <= len(tail) + 1


def _found(data: bytes | bytearray, name: bytes) -> Iterator[int]:
    """Where *name* is in *data*, the first few times."""
    at = -1
    for _ in range(_TRIES):
        at = data.find(name, at + 1)
        if at < 0:
            return
        yield at
