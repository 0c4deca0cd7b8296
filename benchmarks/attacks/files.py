"""Recordings that cost a decoder much more than their size."""

import io
import struct
import zlib

import av
import numpy as np

from fakes.sound import voice_like
from voice_core.domain.audio import RECOGNITION_RATE

RATE = 48_000


def voice(container: str, codec: str, seconds: int, bit_rate: int | None = None) -> bytes:
    """An honest recording."""
    file = io.BytesIO()
    samples = np.repeat(np.frombuffer(voice_like(1.0) * seconds, "<i2"), RATE // RECOGNITION_RATE)
    with av.open(file, "w", format=container) as opened:
        stream = opened.add_stream(codec, rate=RATE, layout="mono")
        if not isinstance(stream, av.AudioStream):
            raise TypeError(stream)
        if bit_rate:
            stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        opened.mux(stream.encode(frame))
        opened.mux(stream.encode(None))
    return file.getvalue()


def flac_comments(count: int) -> bytes:
    """A FLAC with so many comments, of which each costs FFmpeg a search of all."""
    flac = voice("flac", "flac", 1)
    info = flac[8:42]
    at, last = 4, False
    while not last:
        last, at = bool(flac[at] & 0x80), at + 4 + int.from_bytes(flac[at + 1 : at + 4])
    comments = b"".join(struct.pack("<I", 8) + b"%06x=1" % number for number in range(count))
    block = struct.pack("<I", 1) + b"v" + struct.pack("<I", count) + comments
    return b"fLaC\0\0\0\x22" + info + b"\x84" + len(block).to_bytes(3) + block + flac[at:]


def padded_mp3(size: int) -> bytes:
    """An MP3 behind a tag of *size* bytes: all of it must arrive before any of it is decoded."""
    length = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + length + bytes(size) + voice("mp3", "libmp3lame", 1)


def mp4_pcm(chunks: int, samples_per_chunk: int, *, one_place: bool = True) -> bytes:
    """A MOV with PCM whose index promises *chunks* of so many samples each, all at the same place of the file."""
    rows = struct.pack
    entry = _box(b"sowt", bytes(6), b"\0\1", bytes(8), struct.pack(">HHI", 1, 16, 0), struct.pack(">I", RATE << 16))
    total = min(chunks * samples_per_chunk, 0x7FFFFFFF)
    head = _box(b"ftyp", b"qt  ", bytes(4), b"qt  ")
    media = _box(b"mdat", b"\1\2" * 8000)
    offsets = [len(head) + 8] * chunks if one_place else [len(head) + 8 + 2 * number for number in range(chunks)]
    table = _box(
        b"stbl",
        _full(b"stsd", rows(">I", 1), entry),
        _full(b"stts", rows(">III", 1, total, 1)),
        _full(b"stsc", rows(">IIII", 1, 1, samples_per_chunk, 1)),
        _full(b"stsz", rows(">II", 2, total)),
        _full(b"stco", rows(f">I{chunks}I", chunks, *offsets)),
    )
    header = _full(b"mdhd", rows(">IIIIHH", 0, 0, RATE, total, 0x55C4, 0))
    handler = _full(b"hdlr", bytes(4), b"soun", bytes(13))
    information = _box(b"minf", _full(b"smhd", bytes(4)), table)
    track = _box(b"trak", _box(b"mdia", header, handler, information))
    return head + media + _box(b"moov", _full(b"mvhd", rows(">IIII", 0, 0, RATE, total), bytes(80)), track)


def matroska_private(tracks: int, megabytes: float) -> bytes:
    """A Matroska whose tracks' codec data is compressed, each to a thousandth of its size."""
    packed = zlib.compress(bytes(round(megabytes * 1e6)), 9)
    encoding = _element("6D80", _element("6240", _element("5034", _element("4254", b"\0"))))

    def track(number: int) -> bytes:
        codec = _element("86", b"A_OPUS") + _element("63A2", packed) + encoding
        return _element("AE", _element("D7", bytes([number])), _element("83", b"\2"), codec)

    head = _element("1A45DFA3", _element("4282", b"matroska"))
    descriptions = _element("1654AE6B", *map(track, range(1, tracks + 1)))
    return head + _element("18538067", descriptions, _element("1F43B675", _element("E7", b"\0")))


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def _full(kind: bytes, *parts: bytes) -> bytes:
    return _box(kind, bytes(4), *parts)


def _element(number: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes.fromhex(number) + struct.pack(">Q", 1 << 56 | len(body)) + body
