"""WAV: reads the position and layout of samples, and writes headers."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from voice_core.audio.pcm_layout import RawPcm
from voice_core.domain.audio import SAMPLE_BYTES
from voice_core.domain.errors import InvalidAudio

UNKNOWN_BYTES = 0xFFFF_FFFF
"""The size in a stream whose length is not known yet."""

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE
_HUGE_BYTES = 0x7FFF_0000
"""Recorders that cannot seek write sizes around 2 and 4 GB, which mean an unknown size."""

_MAX_CHUNKS = 64
"""Chunks before the samples; real files have a handful, and each is read again whenever more bytes arrive."""

_FMT_BYTES = 40
"""Bytes of a ``fmt`` chunk that have a meaning."""

_COMMON_CHUNKS = (b"fmt ", b"data", b"LIST", b"fact", b"JUNK", b"FLLR")

RIFF_KINDS = (b"RIFF", b"RIFX", b"RF64", b"BW64")
"""First bytes of a WAV."""

KIND_BYTES = 4
"""Length of the name of a chunk."""

_Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class WavHeader:
    """The header of a WAV, up to its samples."""

    layout: RawPcm | None
    """None when the codec is neither PCM nor G.711."""
    data_offset: int
    """Bytes from the start of the file to the first sample."""
    data_bytes: int | None
    """How many bytes of samples follow; None when the header does not say."""
    order: _Order = "little"
    """Byte order of the sizes in the file."""


def read_header(head: bytes | bytearray) -> WavHeader | None:
    """Find the samples in a file that begins with *head*; None when more bytes are needed.

    Raises:
        InvalidAudio: ``audio-unreadable``; there is no ``fmt`` before ``data``, or there are too many other chunks.
        UnsupportedFormat: a rate or channel count that we do not read.
    """
    order: _Order = "big" if head.startswith(b"RIFX") else "little"
    fmt, long_bytes = b"", None
    for kind, start, size in _chunks(head, order):
        if kind == b"data":
            return WavHeader(_layout(fmt, order), start, long_bytes or data_bytes(size), order)
        if kind == b"fmt ":
            fmt = bytes(head[start : start + min(size, _FMT_BYTES)])
        if kind == b"ds64" and size >= 16:
            long_bytes = int.from_bytes(head[start + 8 : start + 16], order)
    return None


def header(rate: int, data_bytes: int | None = None) -> bytes:
    """The header of mono 16-bit PCM at *rate* hertz; without *data_bytes* that of a stream of unknown length."""
    size = UNKNOWN_BYTES if data_bytes is None else data_bytes
    riff = UNKNOWN_BYTES if data_bytes is None else 36 + data_bytes
    fmt = struct.pack("<HHIIHH", _PCM, 1, rate, rate * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES)
    start = struct.pack("<4sI4s4sI", b"RIFF", riff, b"WAVE", b"fmt ", len(fmt))
    return start + fmt + struct.pack("<4sI", b"data", size)


def whole(pcm: bytes, rate: int) -> bytes:
    """A complete WAV file of mono 16-bit PCM at *rate* hertz."""
    return header(rate, len(pcm)) + pcm


def _chunks(head: bytes | bytearray, order: _Order) -> Iterator[tuple[bytes, int, int]]:
    """Kind, body offset and body size of the chunks whose headers are in *head*; ``data`` is the last.

    Chunks before it are returned only when their body is complete.
    """
    at = 12
    for _ in range(_MAX_CHUNKS):
        if len(head) < at + 8:
            return
        kind, size = bytes(head[at : at + 4]), int.from_bytes(head[at + 4 : at + 8], order)
        start = at + 8
        # One byte and one chunk id more, to see whether an odd chunk was padded.
        if kind != b"data" and len(head) < start + size + 5:
            return
        yield kind, start, size
        at = start + size
        at += size % 2 and not head.startswith(_COMMON_CHUNKS, at)
    raise InvalidAudio("The WAV has too many chunks before its samples. Send the recorder's file as it is.")


def data_bytes(size: int) -> int | None:
    """How many bytes of samples follow, by the *size* of their chunk; None for sizes that mean an unknown size."""
    return None if size == 0 or size >= _HUGE_BYTES else size


def _layout(fmt: bytes, order: _Order) -> RawPcm | None:
    if len(fmt) < 16:
        raise InvalidAudio("The WAV has no fmt chunk before its samples. Send the recorder's file as it is.")
    ends = {"little": "<", "big": ">"}[order]
    tag, channels, rate, _, align, bits = struct.unpack_from(f"{ends}HHIIHH", fmt)
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        # The first two bytes of the SubFormat GUID are the tag (Microsoft, WAVEFORMATEXTENSIBLE).
        tag = int.from_bytes(fmt[24:26], order)
    encoding = _encoding(tag, _sample_bytes(align, channels, bits))
    if encoding and order == "big":
        encoding = encoding.replace("le", "be")
    return RawPcm(rate, channels, encoding) if encoding else None


def _sample_bytes(align: int, channels: int, bits: int) -> int:
    """Bytes of a sample: by the frame size, since 24 bits may be stored in 32; if that is impossible, by the bits."""
    needed = (bits + 7) // 8
    per_channel, odd = divmod(align, channels or 1)
    return per_channel if per_channel >= needed and not odd else needed


def _encoding(tag: int, sample_bytes: int) -> str | None:
    known = {
        (_PCM, 1): "u8",
        (_PCM, 2): "s16le",
        (_PCM, 3): "s24le",
        (_PCM, 4): "s32le",
        (_FLOAT, 4): "f32le",
        (_FLOAT, 8): "f64le",
        (_ALAW, 1): "alaw",
        (_MULAW, 1): "mulaw",
    }
    return known.get((tag, sample_bytes))
