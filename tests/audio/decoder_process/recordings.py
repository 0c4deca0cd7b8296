"""Recordings for decoder processes, and uploads that arrive when a test says so."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from tests.audio import mp4_files
from tests.audio.mp4_files import box, rows, table, track
from tests.audio.sounds import encoded, pieces
from voice_core.audio.decoder_process.pool import DecoderPool
from voice_core.audio.decoder_process.user_decoder import UserDecoder
from voice_core.audio.limits import Limits
from voice_core.audio.upload_decoder import Decoding

FILES: dict[str, Callable[[], bytes]] = {
    "m4a": lambda: encoded("ipod", "aac", 44_100),
    "mp3": lambda: encoded("mp3", "libmp3lame", 44_100),
    "ogg": lambda: encoded("ogg", "libopus", 48_000),
    "webm": lambda: encoded("webm", "libopus", 48_000),
    "webm of a live recorder": lambda: encoded("webm", "libopus", 48_000, options={"live": "1"}),
    "mkv": lambda: encoded("matroska", "flac", 44_100),
    "flac": lambda: encoded("flac", "flac", 44_100),
    "aac": lambda: encoded("adts", "aac", 44_100),
    "caf": lambda: encoded("caf", "pcm_s16be", 44_100),
    "wav in ADPCM": lambda: encoded("wav", "adpcm_ms", 44_100),
}


def endless_work() -> bytes:
    """An MP4 of 2 MB in which each sample of PCM is a chunk of its own: FFmpeg takes ten seconds and more for it."""
    count = 500_000
    description = b"\0\0\0\0\0\0\0\1" + mp4_files.box(
        b"sowt", bytes(6), b"\0\1", bytes(8), b"\0\1\0\x10\0\0\0\0", (44_100 << 16).to_bytes(4)
    )
    tables = (
        box(b"stsd", description),
        rows(b"stts", (count, 1)),
        rows(b"stsc", (1, 1, 1)),
        table(b"stsz", 2, count),
    )
    head = box(b"ftyp", b"qt  ", bytes(4), b"qt  ")
    media = box(b"mdat", b"\1\2" * 64)
    offset = len(head) + 8
    offsets = table(b"stco", count, *(offset,) * count)
    return head + media + box(b"moov", track(*tables, offsets))


class Upload:
    """An upload whose pieces arrive when they are put; None ends it."""

    def __init__(self) -> None:
        self.arriving = asyncio.Queue[bytes | None]()

    async def chunks(self) -> AsyncGenerator[bytes]:
        while (chunk := await self.arriving.get()) is not None:
            yield chunk


async def decoded(pool: DecoderPool, data: bytes, user: str = "ann", limits: Limits | None = None) -> bytes:
    """The sound of *data*, an upload of *user*."""
    decoding = Decoding(None, limits or Limits(), UserDecoder(pool, user))
    return b"".join([pcm async for pcm in decoding.pcm(pieces(data, 4096))])


def environment_of(pid: int) -> bytes:
    """The environment of the process *pid*."""
    return Path(f"/proc/{pid}/environ").read_bytes()


def children_of(pid: int) -> list[int]:
    """The process ids of the children of the process *pid*."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
