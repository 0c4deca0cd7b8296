"""The ways in for sound, as the product opens them, and what becomes of what is put through."""

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
"""The product's own."""

CHUNKS = (7, 333, 4_096, 65_536, 10**9)
"""Bytes that arrive at a time."""

Door = Callable[[random.Random, bytes], Awaitable[int]]
"""Takes bytes, gives how much PCM came of them."""


async def outcome(number: int, data: bytes) -> str:
    """What the product makes of *data*: ``decoded``, ``silent`` for nothing, or the code of a typed error.

    Anything else that is raised is a crash.
    """
    chance = random.Random(number)
    try:
        count = await chance.choice(DOORS)(chance, data)
    except VoiceError as error:
        return error.code
    assert count % 2 == 0, "half a sample"
    return "decoded" if count else "silent"


async def upload(chance: random.Random, data: bytes) -> int:
    """As the body of a request."""
    raw = RawPcm() if chance.random() < 0.1 else None
    return await _heard(Decoding(raw, LIMITS).pcm(pieces(data, chance.choice(CHUNKS))))


async def text(chance: random.Random, data: bytes) -> int:
    """As base64 in JSON, some of it cut as a client of old cuts it, some of it damaged once more."""
    encoded = bytearray(b64encode(data))
    if chance.random() < 0.4:
        del encoded[:59]
    if chance.random() < 0.2:
        at = chance.randrange(len(encoded) or 1)
        encoded[at : at + 1] = chance.randbytes(1)
        del encoded[chance.randrange(len(encoded) or 1) :]
    recording = decode_base64_audio(encoded.decode("latin-1"))
    return await _heard(Decoding(recording.raw, LIMITS).pcm(pieces(recording.data, 65_536)))


async def clip(_chance: random.Random, data: bytes) -> int:
    """As a recording in storage that is read in pieces."""

    async def read(start: int, count: int) -> bytes:
        return data[start : start + count]

    return await _heard(LargeSound(len(data), read, LIMITS).pcm())


async def container(_chance: random.Random, data: bytes) -> int:
    """As a container, also what the product would read as plain WAV."""
    return len(await asyncio.to_thread(decode, data, LIMITS, DecodingDeadline(LIMITS.decode_seconds)))


async def _heard(pcm: AsyncGenerator[bytes]) -> int:
    async with aclosing(pcm):
        return sum([len(piece) async for piece in pcm])


DOORS: tuple[Door, ...] = (upload, upload, upload, upload, text, text, clip, clip, container)
