"""Files that follow one another in one upload: all of them are heard, or the upload is refused."""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

import numpy as np
import pytest

from tests.audio.caf import caf_of, packets
from tests.audio.decoder_process.recordings import decoded as decoded_by
from tests.audio.sounds import (
    decoded,
    decoded_as_clip,
    encoded,
    read,
    speech,
)
from voice_core.audio.containers import mp4_boxes
from voice_core.audio.decoder_process.pool import DecoderPool
from voice_core.domain.errors import InvalidAudio, VoiceError

FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}

CONTAINERS: Mapping[str, Callable[[], bytes]] = {
    "w64": lambda: encoded("w64", "pcm_s16le", 24_000),
    "aiff": lambda: encoded("aiff", "pcm_s16be", 24_000),
    "aiff of odd size": lambda: encoded("aiff", "pcm_s8", 8_000, sound=speech(8_000)[:9_599, None]),
    "caf": lambda: encoded("caf", "pcm_s16be", 24_000),
    "caf in AAC": lambda: caf_of(b"aac ", 24_000, packets("aac", 24_000), sound_frames=28_800),
    "m4a": lambda: encoded("ipod", "aac", 24_000),
    "m4a, index first": lambda: encoded("ipod", "aac", 24_000, options={"moov_size": "3000"}),
    "mov": lambda: encoded("mov", "pcm_s16le", 24_000),
    "3gp": lambda: encoded("3gp", "libopencore_amrnb", 8_000),
    "wav in ADPCM": lambda: encoded("wav", "adpcm_ms", 24_000),
    "wav in MP3": lambda: encoded("wav", "libmp3lame", 24_000),
    "mp4 in fragments": lambda: encoded("mp4", "flac", 24_000, options=FRAGMENTS),
    "mp4 in short fragments": lambda: encoded("mp4", "flac", 24_000, options=FRAGMENTS | {"frag_duration": "200000"}),
    "ogg": lambda: encoded("ogg", "libopus", 48_000),
    "ogg in Vorbis": lambda: encoded("ogg", "vorbis", 44_100, 2),
    "flac": lambda: encoded("flac", "flac", 24_000),
    "au": lambda: encoded("au", "pcm_s16be", 24_000),
    "amr": lambda: encoded("amr", "libopencore_amrnb", 8_000),
}


@pytest.mark.parametrize("name", CONTAINERS)
async def test_joined_containers_are_heard_to_the_end(name: str) -> None:
    """Three files are heard as one after the other, uploaded or as a clip."""
    file = CONTAINERS[name]()
    assert await decoded(file * 3, 1_013) == read(file) * 3
    assert await decoded_as_clip(file * 3) == read(file) * 3


STREAMED = (
    *(("webm", "libopus"), ("webm", "vorbis"), ("matroska", "aac"), ("matroska", "flac"), ("matroska", "pcm_s16le")),
    *(("mp3", "libmp3lame"), ("adts", "aac")),
)


@pytest.mark.parametrize(("container", "codec"), STREAMED)
async def test_what_ffmpeg_joins_itself_stays_whole(container: str, codec: str) -> None:
    """Containers that FFmpeg reads to the end still are."""
    file = encoded(container, codec, 48_000, 2)
    for pcm in (await decoded(file * 3), await decoded_as_clip(file * 3)):
        assert len(pcm) / 32_000 == pytest.approx(3.6, abs=0.2)


CHANGES: Mapping[str, Callable[[], tuple[bytes, bytes]]] = {
    "Ogg of other channels": lambda: (encoded("ogg", "libopus", 48_000), encoded("ogg", "libopus", 48_000, 2)),
    "Ogg of another rate": lambda: (encoded("ogg", "vorbis", 44_100, 2), encoded("ogg", "vorbis", 22_050, 2)),
    "Ogg of another codec": lambda: (encoded("ogg", "libopus", 48_000), encoded("ogg", "flac", 44_100, 2)),
    "FLAC of another rate": lambda: (encoded("flac", "flac", 44_100), encoded("flac", "flac", 16_000, 2)),
    "AU of another encoding": lambda: (encoded("au", "pcm_s16be", 44_100), encoded("au", "pcm_mulaw", 16_000)),
    "M4A of another codec": lambda: (encoded("ipod", "aac", 44_100), encoded("ipod", "alac", 16_000, 2)),
    "AIFF of another encoding": lambda: (encoded("aiff", "pcm_s24be", 44_100), encoded("aiff", "pcm_mulaw", 16_000)),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_the_codec_may_change_from_file_to_file(name: str) -> None:
    """Each file is decoded by its own description."""
    first, second = CHANGES[name]()
    assert await decoded(first + second) == read(first) + read(second)
    assert await decoded_as_clip(first + second) == read(first) + read(second)


STREAMED_CHANGES: Mapping[str, Callable[[], tuple[bytes, bytes]]] = {
    "WebM in Vorbis after Opus": lambda: (encoded("webm", "libopus", 48_000), encoded("webm", "vorbis", 48_000, 2)),
    "WebM in Vorbis of another rate": lambda: (
        encoded("webm", "vorbis", 48_000, 2),
        encoded("webm", "vorbis", 22_050, 2),
    ),
    "Matroska in FLAC after AAC": lambda: (encoded("matroska", "aac", 48_000), encoded("matroska", "flac", 44_100)),
    "Matroska in PCM of another rate": lambda: (
        encoded("matroska", "pcm_s16le", 48_000),
        encoded("matroska", "pcm_s16le", 16_000),
    ),
    "ADTS after MP3": lambda: (encoded("mp3", "libmp3lame", 44_100), encoded("adts", "aac", 44_100)),
    "MP3 after ADTS": lambda: (encoded("adts", "aac", 44_100), encoded("mp3", "libmp3lame", 44_100)),
    "LATM after ADTS": lambda: (encoded("adts", "aac", 44_100), encoded("latm", "aac", 44_100)),
    "MP3 after LATM": lambda: (encoded("latm", "aac", 44_100), encoded("mp3", "libmp3lame", 44_100)),
}


@pytest.mark.parametrize("name", STREAMED_CHANGES)
async def test_another_codec_that_would_not_be_heard_is_refused(pool: DecoderPool, name: str) -> None:
    """A file that FFmpeg reads by the description of the first one alone is refused, wherever it is."""
    first, second = STREAMED_CHANGES[name]()
    for file in (first + second, first * 2 + second):
        for decode in (decoded, decoded_as_clip, partial(decoded_by, pool)):
            with pytest.raises(InvalidAudio, match=r"another (codec|format)") as refused:
                await decode(file)
            assert refused.value.code == "audio-unreadable"


KINDS: Mapping[str, Callable[[], bytes]] = {
    "wav": lambda: encoded("wav", "pcm_s16le", 16_000),
    "webm": lambda: encoded("webm", "libopus", 48_000),
    "mkv": lambda: encoded("matroska", "flac", 44_100),
    "ogg": lambda: encoded("ogg", "libopus", 48_000),
    "m4a": lambda: encoded("ipod", "aac", 44_100),
    "mov": lambda: encoded("mov", "pcm_s16le", 16_000),
    "flac": lambda: encoded("flac", "flac", 44_100),
    "ogg in FLAC": lambda: encoded("ogg", "flac", 44_100),
    "au": lambda: encoded("au", "pcm_s16be", 16_000),
    "amr": lambda: encoded("amr", "libopencore_amrnb", 8_000),
    "aiff": lambda: encoded("aiff", "pcm_s16be", 16_000),
    "w64": lambda: encoded("w64", "pcm_s16le", 16_000),
    "caf": lambda: encoded("caf", "pcm_s16be", 16_000),
    "mp3": lambda: encoded("mp3", "libmp3lame", 44_100),
    "adts": lambda: encoded("adts", "aac", 44_100),
    "latm": lambda: encoded("latm", "aac", 44_100),
}
SAME = ({"webm", "mkv"}, {"m4a", "mov"}, {"ogg", "ogg in FLAC"})


@pytest.mark.parametrize("first", KINDS)
async def test_another_kind_of_recording_behind_it_is_refused(pool: DecoderPool, first: str) -> None:
    """Whatever follows: a recording of another kind would be lost, or heard as noise."""
    for second in KINDS:
        if second != first and {first, second} not in SAME:
            file = KINDS[first]() + KINDS[second]()
            for decode in (decoded, decoded_as_clip, partial(decoded_by, pool)):
                with pytest.raises(VoiceError) as refused:
                    await decode(file)
                assert refused.value.code in ("audio-unreadable", "audio-format-unsupported"), (second, decode)


async def test_random_bytes_behind_an_mp4_are_refused() -> None:
    """Bytes that look like one long box are no box of the recording."""
    tail = random.Random(1).randbytes(300_000)
    with pytest.raises(InvalidAudio, match="goes on"):
        await decoded(encoded("ipod", "aac", 44_100) + tail)


@pytest.mark.parametrize("codec", ["libopus", "flac"])
async def test_other_channels_of_frames_that_describe_themselves_are_heard(codec: str) -> None:
    """Opus and FLAC in Matroska may change from mono to stereo."""
    first, second = (encoded("matroska", codec, 48_000, channels) for channels in (1, 2))
    for pcm in (await decoded(first + second), await decoded_as_clip(first + second)):
        assert len(pcm) / 32_000 == pytest.approx(2.4, abs=0.2)


async def test_a_repeated_beginning_is_no_other_file() -> None:
    """A stream that repeats its beginning before a later fragment goes on, without a seam."""
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "200000"}
    file = encoded("mp4", "aac", 24_000, options=options)
    boxes = list(mp4_boxes.boxes(file))
    beginning = b"".join(file[box.start : box.end] for box in boxes if box.kind in (b"ftyp", b"moov"))
    third = [box.start for box in boxes if box.kind == b"moof"][2]
    assert await decoded(file[:third] + beginning + file[third:]) == await decoded(file)


@pytest.mark.parametrize("container", ["aiff", "w64", "caf"])
async def test_bytes_without_a_header_are_refused(container: str) -> None:
    """Where most of the file follows the end of the recording, it is not cut short silently."""
    codec = "pcm_s16le" if container == "w64" else "pcm_s16be"
    file = encoded(container, codec, 24_000, seconds=0.3)
    rest = bytes(range(1, 30)) * 5_000
    for decode in (decoded, decoded_as_clip):
        with pytest.raises(InvalidAudio, match="goes on"):
            await decode(file + rest)
        assert await decode(file + rest[:100]) == read(file)


@pytest.mark.parametrize("container", ["w64", "caf", "aiff", "wav"])
def test_a_chunk_of_any_size_is_read_or_refused(container: str) -> None:
    """Sizes beyond all numbers that a file offset may have are no error of ours."""
    codec = {"w64": "pcm_s16le", "wav": "adpcm_ms"}.get(container, "pcm_s16be")
    file = encoded(container, codec, 24_000, seconds=0.1)
    at = file.index(b"SSND" if container == "aiff" else b"data") + (16 if container == "w64" else 4)
    for size in (b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\x7f" + b"\xff" * 7, bytes(8)):
        with suppress(VoiceError):
            assert read(file[:at] + size + file[at + 8 :] + file)


async def test_a_slice_that_is_cut_is_refused() -> None:
    """An M4A whose last slice lacks its index is refused as a whole."""
    file = encoded("ipod", "aac", 24_000)
    for decode in (decoded, decoded_as_clip):
        with pytest.raises(InvalidAudio) as refused:
            await decode(file * 2 + file[:-200])
        assert refused.value.code == "audio-truncated"


async def test_an_empty_slice_is_passed_over() -> None:
    """A slice without sound does not end the recording; if none has any, it is empty."""
    file, none = encoded("aiff", "pcm_s16be", 24_000), encoded("aiff", "pcm_s16be", 24_000, sound=np.zeros((0, 1)))
    assert await decoded(none + file + none) == read(file)
    with pytest.raises(InvalidAudio) as refused:
        await decoded(none * 3)
    assert refused.value.code == "audio-empty"
