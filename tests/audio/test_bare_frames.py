"""Streams of frames that begin at any byte."""

from collections.abc import AsyncGenerator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.sounds import decoded, decoded_as_clip, encoded, likeness, pcm16, speech
from voice_core.audio.bare_frames import first_frame
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.sniff import SEARCH_BYTES, beginning, sniff
from voice_core.audio.upload_decoder import Decoding, Limits
from voice_core.domain.errors import UnsupportedFormat, VoiceError

STREAMS = {
    "mp3": encoded("mp3", "libmp3lame", 24_000, options={"write_xing": "0", "id3v2_version": "0"}),
    "mp3 with a table": encoded("mp3", "libmp3lame", 44_100, options={"id3v2_version": "0"}),
    "mp2": encoded("mp2", "mp2", 44_100),
    "aac": encoded("adts", "aac", 24_000),
    "latm": encoded("latm", "aac", 24_000),
}
JUNK = {
    "zeros": bytes(1_000),
    "ones": b"\xff" * 1_000,
    "text": b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n",
    "noise": np.random.default_rng(1).bytes(5_000),
    "a lonely header": b"\xff\xfb\x90\x00" + bytes(500),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", STREAMS)
async def test_what_comes_before_the_first_frame_is_passed_over(name: str, junk: str) -> None:
    """The sound is that of the stream alone, uploaded or as a clip."""
    stream = STREAMS[name]
    expected = await decoded(stream)
    assert await decoded(JUNK[junk] + stream, 100) == expected
    assert await decoded_as_clip(JUNK[junk] + stream) == expected


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("cut", [1, 2, 3, 7, 50, 101, 333])
async def test_a_stream_may_be_cut_anywhere(name: str, cut: int) -> None:
    """The rest of it is heard, from the next frame on."""
    pcm = await decoded(STREAMS[name][cut:])
    assert len(pcm) > 32_000
    assert likeness(pcm[: round(1.2 * 32_000)]) > 0.8
    assert len(await decoded_as_clip(STREAMS[name][cut:])) == len(pcm)


@pytest.mark.parametrize("name", STREAMS)
async def test_junk_behind_a_title_is_passed_over(name: str) -> None:
    """The same holds behind ID3."""
    title = b"ID3\x04\0\0\0\0\0\x7f" + bytes(127)
    assert await decoded(title + JUNK["noise"] + STREAMS[name]) == await decoded(STREAMS[name])


@pytest.mark.parametrize("name", STREAMS)
async def test_declared_pcm_is_not_searched(name: str) -> None:
    """Samples that are declared as such are not taken for a stream, even where frames are in them."""
    samples = pcm16(speech(16_000, 0.2)) + STREAMS[name]
    samples = samples[: len(samples) // 2 * 2]
    decoding = Decoding(RawPcm(16_000), Limits())

    async def upload() -> AsyncGenerator[bytes]:
        yield samples

    assert b"".join([pcm async for pcm in decoding.pcm(upload())]) == samples
    assert decoding.format == "pcm"


@given(st.binary(max_size=3_000))
@settings(max_examples=200, deadline=None)
def test_other_bytes_are_no_stream(data: bytes) -> None:
    """Random bytes, text and speech are not taken for frames."""
    assert first_frame(data) is None or sniff(data) is not None
    assert first_frame(pcm16(speech(24_000))) is None
    assert beginning(b'{"text": "\xc3\xbf"}' * 500) == 0


@pytest.mark.parametrize("data", [b"\xff\xfb\x90\x00" * 50_000, b"V\xe0" * 100_000, b"\xff" * 200_000])
async def test_sync_words_without_frames_are_not_searched_for_ever(data: bytes) -> None:
    """Only so many are tried in a limited number of bytes; then the format is unknown."""
    with pytest.raises(UnsupportedFormat):
        await decoded(data)


async def test_a_stream_that_begins_too_late_is_refused() -> None:
    """Beyond the bytes that are searched nothing is found, and nothing more is read."""
    decoding = Decoding(None, Limits())

    async def upload() -> AsyncGenerator[bytes]:
        while True:
            yield bytes(1_000)

    with pytest.raises(VoiceError) as refused:
        await anext(decoding.pcm(upload()))
    assert refused.value.code == "audio-format-unknown"
    assert decoding.bytes_in <= SEARCH_BYTES + 1_000
