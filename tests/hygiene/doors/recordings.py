"""Doors of recordings: uploads, files in storage that are read by ranges, base64 in JSON."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from tests.audio.sounds import pieces
from tests.hygiene.damage import damaged
from tests.hygiene.doors.resources import LIMITS, USER, Resources
from tests.hygiene.recordings import recordings
from tests.hygiene.structure.data_urls import encoded_recording
from tests.hygiene.structure.draw import LONGEST_BYTES, Draw
from voice_core.audio.base64_audio import decode_base64_audio
from voice_core.audio.decoder_process.user_decoder import UserDecoder
from voice_core.audio.ffmpeg import decode
from voice_core.audio.limits import DecodingDeadline
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.ranged_decoder import LargeSound
from voice_core.audio.upload_decoder import Decoding

CHUNKS = (7, 333, 4_096, 65_536, 10**9)
"""Sizes, in bytes, of the pieces in which an upload arrives."""

Door = Callable[[Draw, Resources], Awaitable[str]]
"""Draws an input and passes it on; returns how that ended."""

Generator = Callable[[Draw], bytes]


def decoded_by_processes(generate: Generator) -> Door:
    """The door of files that *generate* makes: an upload, or a file in storage, decoded by the product's processes."""

    async def door(draw: Draw, resources: Resources) -> str:
        data = generate(draw)[:LONGEST_BYTES]
        decoder = UserDecoder(resources.pool, USER)
        if draw.likely(0.2):
            return await _sound(LargeSound(len(data), _ranges(data), LIMITS, decoder).pcm())
        size = draw.choice(CHUNKS[1:])
        return await _sound(Decoding(None, LIMITS, decoder).pcm(pieces(data, size)))

    return door


async def text(draw: Draw, resources: Resources) -> str:
    """A recording in base64, as a member of a JSON document."""
    data = draw.choice([*recordings().values()])[: draw.choice((100, 5_000, LONGEST_BYTES))]
    recording = decode_base64_audio(encoded_recording(draw, data))
    upload = pieces(recording.data, 65_536)
    return await _sound(Decoding(recording.raw, LIMITS, UserDecoder(resources.pool, USER)).pcm(upload))


async def damaged_recording(draw: Draw, _: Resources) -> str:
    """A real recording with damage, decoded without processes, as where there can be none."""
    data = damaged(draw.getrandbits(32), 0, [*recordings().values()])[1]
    return await draw.choice(IN_PROCESS)(draw, data)


async def _upload(draw: Draw, data: bytes) -> str:
    raw = RawPcm() if draw.likely(0.1) else None
    return await _sound(Decoding(raw, LIMITS).pcm(pieces(data, draw.choice(CHUNKS))))


async def _encoded(draw: Draw, data: bytes) -> str:
    """Base64, sometimes without 59 characters, as an old client cuts it, or damaged once more."""
    encoded = bytearray(b64encode(data))
    if draw.likely(0.4):
        del encoded[:59]
    if draw.likely(0.2):
        at = draw.randrange(len(encoded) or 1)
        encoded[at : at + 1] = draw.randbytes(1)
        del encoded[draw.randrange(len(encoded) or 1) :]
    recording = decode_base64_audio(encoded.decode("latin-1"))
    return await _sound(Decoding(recording.raw, LIMITS).pcm(pieces(recording.data, 65_536)))


async def _clip(_: Draw, data: bytes) -> str:
    return await _sound(LargeSound(len(data), _ranges(data), LIMITS).pcm())


async def _container(_: Draw, data: bytes) -> str:
    """FFmpeg, also for what the product would read as plain WAV."""
    count = await asyncio.to_thread(
        lambda: sum(map(len, decode(data, LIMITS, DecodingDeadline(LIMITS.decode_seconds))))
    )
    return _ending(count)


IN_PROCESS = (_upload, _upload, _upload, _upload, _encoded, _encoded, _clip, _clip, _container)


def _ranges(data: bytes) -> Callable[[int, int], Awaitable[bytes]]:
    async def read(start: int, count: int) -> bytes:
        return data[start : start + count]

    return read


async def _sound(pcm: AsyncGenerator[bytes]) -> str:
    async with aclosing(pcm):
        return _ending(sum([len(piece) async for piece in pcm]))


def _ending(count: int) -> str:
    assert count % 2 == 0, "half a sample"
    return "decoded" if count else "silent"
