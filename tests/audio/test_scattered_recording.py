"""Recordings whose sound is scattered over the file: what is read from storage for them has a limit."""

import struct

import pytest

from tests.audio.mp4_files import box, handler, rows, table
from voice_core.audio.limits import Limits
from voice_core.audio.ranged_decoder import READ_ALLOWANCE, READ_BYTES, READ_SHARE, LargeSound
from voice_core.domain.errors import InvalidAudio

LIMITS = Limits(max_bytes=100_000_000, max_seconds=1000.0)
SAMPLES = 512
"""Samples of a chunk, mono 16-bit at 16 kHz."""
BLOCK = 1 << 20


def scattered(chunks: int, blocks: int) -> bytes:
    """A MOV of PCM each of whose *chunks* is in another MiB than the one before, of *blocks* in turn."""
    places = [(number % blocks) * BLOCK + number // blocks * 2 * SAMPLES for number in range(chunks)]
    size = len(_movie(places, 0))
    data = bytearray(blocks * BLOCK)
    for number, place in enumerate(places):
        data[place : place + 2 * SAMPLES] = struct.pack("<h", 1000 + number % 7) * SAMPLES
    return _movie(places, size + 8) + box(b"mdat", bytes(data))


def _movie(places: list[int], offset: int) -> bytes:
    """The file up to its sound, the chunks of which begin *offset* bytes after *places*."""
    samples = SAMPLES * len(places)
    entry = box(b"sowt", struct.pack(">6xH8xHHHHI", 1, 1, 16, 0, 0, 16_000 << 16))
    tables = (
        box(b"stsd", struct.pack(">4xI", 1), entry),
        rows(b"stts", (samples, 1)),
        rows(b"stsc", (1, SAMPLES, 1)),
        table(b"stsz", 2, samples),
        rows(b"stco", *((offset + place,) for place in places)),
    )
    matrix = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    times = struct.pack(">4x4I", 0, 0, 16_000, samples)
    media = box(b"mdia", box(b"mdhd", times, bytes(4)), handler(b"soun"), box(b"minf", box(b"stbl", *tables)))
    track_head = box(b"tkhd", struct.pack(">I4I4xI", 7, 0, 0, 1, 0, samples), bytes(16), matrix, bytes(8))
    movie_head = box(b"mvhd", times, struct.pack(">IH10x", 1 << 16, 256), matrix, bytes(24), struct.pack(">I", 2))
    return box(b"ftyp", b"qt  ", bytes(4), b"qt  ") + box(b"moov", movie_head, box(b"trak", track_head, media))


class CountingSource:
    """A recording in storage, and the bytes that were read of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.read_bytes = 0

    async def read(self, start: int, count: int) -> bytes:
        self.read_bytes += count
        return self.data[start : start + count]

    async def samples(self) -> int:
        """The number of samples at 16 kHz that the recording is decoded to."""
        sound = LargeSound(len(self.data), self.read, LIMITS)
        return sum([len(pcm) async for pcm in sound.pcm()]) // 2


async def test_a_few_scattered_chunks_are_decoded() -> None:
    """A file in which some chunks are out of order is decoded completely."""
    source = CountingSource(scattered(chunks=24, blocks=12))

    assert await source.samples() == 24 * SAMPLES


async def test_reads_of_a_scattered_recording_are_bounded() -> None:
    """A file that would be read hundreds of times over is refused after a few times its size."""
    source = CountingSource(scattered(chunks=600, blocks=12))
    with pytest.raises(InvalidAudio) as refused:
        await source.samples()

    assert refused.value.code == "audio-unreadable"
    assert source.read_bytes <= READ_SHARE * len(source.data) + READ_ALLOWANCE + READ_BYTES
