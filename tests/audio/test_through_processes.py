"""Joined files, several tracks and streams that were cut sound the same through a decoder process."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from tests.audio.films import SoundTrack, film
from tests.audio.sounds import decoded_as_clip, encoded, pieces, read, speech
from voice_core.audio.decoder_process.pool import DecoderPool
from voice_core.audio.decoder_process.user_decoder import UserDecoder
from voice_core.audio.limits import Limits
from voice_core.audio.ranged_decoder import LargeSound
from voice_core.audio.upload_decoder import Decoding

SILENT = np.zeros((19_200, 2))
FILES: Mapping[str, Callable[[], bytes]] = {
    "joined m4a": lambda: encoded("ipod", "aac", 24_000) * 3,
    "joined aiff": lambda: encoded("aiff", "pcm_s16be", 24_000) * 3,
    "joined webm": lambda: encoded("webm", "libopus", 48_000) * 3,
    "a silent track first": lambda: film(
        "mov", SoundTrack("pcm_s16le", 16_000, SILENT), SoundTrack("aac", 16_000, speech(16_000))
    ),
    "WebM with two tracks": lambda: film(
        "webm",
        SoundTrack("libopus", 48_000, np.zeros((57_600, 2))),
        SoundTrack("libopus", 48_000, speech(48_000)),
        video_codec="vp8",
    ),
    "speech in one channel": lambda: encoded(
        "flac",
        "flac",
        16_000,
        6,
        sound=np.concatenate([SILENT, SILENT, speech(16_000)[:, None], SILENT[:, :1]], axis=1),
    ),
    "a stream that was cut": lambda: encoded("adts", "aac", 24_000)[100:],
    "more than a block": lambda: encoded("matroska", "pcm_s16le", 48_000, sound=np.tile(speech(48_000), 12)[:, None]),
}


@pytest.mark.parametrize("name", FILES)
async def test_the_sound_is_the_same(pool: DecoderPool, name: str) -> None:
    """Byte for byte, uploaded and as a clip."""
    data = FILES[name]()

    async def piece(start: int, count: int) -> bytes:
        return data[start : start + count]

    expected = await decoded_as_clip(data)
    upload = Decoding(None, Limits(), UserDecoder(pool, "ann")).pcm(pieces(data, 4_096))
    clip = LargeSound(len(data), piece, Limits(), UserDecoder(pool, "ann")).pcm()
    assert b"".join([pcm async for pcm in upload]) == expected
    assert b"".join([pcm async for pcm in clip]) == expected
    assert name == "a stream that was cut" or read(data) == expected
