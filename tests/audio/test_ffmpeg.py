import io
from collections.abc import AsyncGenerator
from contextlib import nullcontext, suppress
from functools import cache

import av
import pytest

from tests.audio.sounds import decoded, encoded, likeness, read
from voice_core.audio.upload_decoder import Decoding, Limits
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat

STREAMED = (
    ("mp3", "libmp3lame"),
    ("adts", "aac"),
    ("latm", "aac"),
    ("webm", "libopus"),
    ("matroska", "aac"),
    ("ogg", "libopus"),
)
"""Containers in which any first part of a file is a shorter recording."""


async def test_cover_art_and_tags_are_not_heard() -> None:
    """A tag with a picture in front of an MP3 is skipped."""
    tag = b"ID3\x04\0\0" + bytes((0, 16, 0, 0)) + bytes(16 << 14)
    assert likeness(await decoded(tag + encoded("mp3", "libmp3lame", 24_000))) >= 0.98


async def test_the_decoder_reports_format_and_size() -> None:
    """After decoding, the format and the number of bytes of the upload are known."""
    file = encoded("3gp", "aac", 24_000)
    decoding = Decoding(None, Limits())
    assert [pcm async for pcm in decoding.pcm(_one(file))]
    assert (decoding.format, decoding.bytes_in) == ("3gp", len(file))


@cache
def recorded(container: str, codec: str) -> bytes:
    return encoded(container, codec, 48_000, options={"page_duration": "100000"} if container == "ogg" else None)


@pytest.mark.parametrize("percent", range(1, 100, 7))
@pytest.mark.parametrize(("container", "codec"), [("ipod", "aac"), ("caf", "pcm_s16be"), ("flac", "flac"), *STREAMED])
def test_what_was_cut_is_shorter_or_refused(container: str, codec: str, percent: int) -> None:
    """A recording that breaks off is a shorter one if its container allows that, and a typed error otherwise."""
    file = recorded(container, codec)
    with suppress(InvalidAudio, UnsupportedFormat):
        pcm = read(file[: len(file) * percent // 100])
        assert likeness(pcm[: 32_000 * percent // 100]) > 0.5 * percent / 100
        return
    assert percent < 50 or (container, codec) not in STREAMED


@pytest.mark.parametrize("container", ["ipod", "3gp", "mov"])
def test_mp4_without_its_index_is_truncated(container: str) -> None:
    """The file of a killed recorder, without index, is truncated; one without any media is empty."""
    file = encoded(container, "aac", 24_000)
    with pytest.raises(InvalidAudio) as refused:
        read(file[:-200])
    assert refused.value.code == "audio-truncated"
    with pytest.raises(InvalidAudio) as refused:
        read(file[:28])
    assert refused.value.code == "audio-empty"


def test_an_index_that_promises_more_than_there_is_is_truncated() -> None:
    """If the index is in front and half of the sound is missing, the file is truncated."""
    file = encoded("mp4", "aac", 24_000, options={"moov_size": "3000"})
    assert len(read(file[: len(file) * 9 // 10])) > 32_000 * 0.8
    with pytest.raises(InvalidAudio) as refused:
        read(file[: len(file) * 5 // 10])
    assert refused.value.code == "audio-truncated"


def test_a_few_damaged_packets_are_skipped() -> None:
    """A recording with a few damaged packets is decoded without them."""
    file = bytearray(encoded("flac", "flac", 24_000))
    file[len(file) // 2 : len(file) // 2 + 20] = bytes(20)
    assert len(read(bytes(file))) > 32_000


@pytest.mark.parametrize(("packet", "whole"), [(2, False), (55, True)])
def test_a_packet_that_cannot_be_read_ends_the_recording(packet: int, whole: bool) -> None:
    """If the container breaks off, the sound before is used if it is most of the recording."""
    file = bytearray(encoded("mp4", "aac", 48_000, options={"movflags": "frag_keyframe+empty_moov"}))
    size = file.find(b"trun") + 20 + 8 * packet
    file[size : size + 4] = b"\x7f\xff\xff\x00"
    with nullcontext() if whole else pytest.raises(InvalidAudio):
        assert len(read(bytes(file))) > 32_000


def test_boxes_may_have_long_sizes() -> None:
    """Boxes with 64-bit sizes, which recorders write for files of gigabytes, are read."""
    file = encoded("3gp", "aac", 24_000)
    free = file.find(b"free") - 4
    size = int.from_bytes(file[free + 8 : free + 12]) + 8
    long = b"\0\0\0\x01mdat" + size.to_bytes(8)
    assert read(file[:free] + long + file[free + 16 :]) == read(file)


@pytest.mark.parametrize(
    "beginning", [b"#!AMR\n", b"#!AMR\n" + b"\x7c" * 32, b"fLaC\0\0\0\x22", b"OggS\0\x02", b"ID3\x04\0\0\0\0\0\0"]
)
@pytest.mark.parametrize("rest", [b"", b"\x7c" * 200_000])
def test_a_magic_number_with_garbage_is_refused(beginning: bytes, rest: bytes) -> None:
    """A magic number with garbage behind it is a typed error."""
    with pytest.raises(InvalidAudio):
        read(beginning + rest)


def test_what_follows_the_last_box_is_passed_over() -> None:
    """Bytes behind the recording that are not a box are ignored."""
    file = encoded("3gp", "aac", 24_000)
    assert read(file + b"\0\0\0\x04rest") == read(file)


def test_recordings_of_two_rates_may_be_joined() -> None:
    """A few changes of rate are decoded; a file of many is refused, since each needs a resampler."""
    both = encoded("adts", "aac", 24_000) + encoded("adts", "aac", 16_000)

    assert len(read(both * 2)) > 3 * len(read(both)) // 2
    with pytest.raises(InvalidAudio, match="too often"):
        read(both * 10)


def test_a_film_without_sound_is_no_recording() -> None:
    """A container without an audio track is refused with ``audio-missing``."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        output.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(stream.encode(None))
    with pytest.raises(InvalidAudio) as refused:
        read(file.getvalue())
    assert refused.value.code == "audio-missing"


async def _one(data: bytes) -> AsyncGenerator[bytes]:
    yield data
