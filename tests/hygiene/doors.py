"""The ways in which the product decodes audio ("doors"): uploads, base64 text, clips and containers."""

import asyncio
import random
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from tests.audio.sounds import pieces
from voice_core.audio.base64_audio import decode_base64_audio
from voice_core.audio.ffmpeg import decode
from voice_core.audio.limits import DecodingDeadline, Limits
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.ranged_decoder import LargeSound
from voice_core.audio.upload_decoder import Decoding
from voice_core.domain.errors import VoiceError

LIMITS = Limits()
"""The product's limits."""

CHUNKS = (7, 333, 4_096, 65_536, 10**9)
"""Sizes, in bytes, of the pieces in which an upload arrives."""

Door = Callable[[random.Random, bytes], Awaitable[int]]
"""Decodes bytes and returns the number of PCM bytes."""


async def outcome(number: int, data: bytes) -> str:
    """Result of decoding *data*: ``decoded``, ``silent`` (no PCM), or the code of a typed error.

    Any other exception is a crash.
    """
    chance = random.Random(number)
    try:
        count = await chance.choice(DOORS)(chance, data)
    except VoiceError as error:
        return error.code
    assert count % 2 == 0, "half a sample"
    return "decoded" if count else "silent"


async def upload(chance: random.Random, data: bytes) -> int:
    """Decode it as the body of a request."""
    raw = RawPcm() if chance.random() < 0.1 else None
    return await _pcm_bytes(Decoding(raw, LIMITS).pcm(pieces(data, chance.choice(CHUNKS))))


async def text(chance: random.Random, data: bytes) -> int:
    """Decode it as base64 in JSON: sometimes without 59 characters, as an old client cuts it, or damaged once more."""
    encoded = bytearray(b64encode(data))
    if chance.random() < 0.4:
        del encoded[:59]
    if chance.random() < 0.2:
        at = chance.randrange(len(encoded) or 1)
        encoded[at : at + 1] = chance.randbytes(1)
        del encoded[chance.randrange(len(encoded) or 1) :]
    recording = decode_base64_audio(encoded.decode("latin-1"))
    return await _pcm_bytes(Decoding(recording.raw, LIMITS).pcm(pieces(recording.data, 65_536)))


async def clip(_chance: random.Random, data: bytes) -> int:
    """Decode it as a recording in storage that is read by ranges."""

    async def read(start: int, count: int) -> bytes:
        return data[start : start + count]

    return await _pcm_bytes(LargeSound(len(data), read, LIMITS).pcm())


async def container(_chance: random.Random, data: bytes) -> int:
    """Decode it with FFmpeg, also what the product would read as plain WAV."""
    return await asyncio.to_thread(_decode, data)


def _decode(data: bytes) -> int:
    return sum(map(len, decode(data, LIMITS, DecodingDeadline(LIMITS.decode_seconds))))


async def _pcm_bytes(pcm: AsyncGenerator[bytes]) -> int:
    async with aclosing(pcm):
        return sum([len(piece) async for piece in pcm])


DOORS: tuple[Door, ...] = (upload, upload, upload, upload, text, text, clip, clip, container)
