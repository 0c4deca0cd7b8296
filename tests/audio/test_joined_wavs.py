"""WAV files that follow one another in one upload: all of them are heard while they arrive."""

import asyncio
import struct
from collections.abc import AsyncGenerator, Coroutine, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.audio.sounds import (
    channels_of,
    chunk,
    decoded,
    decoded_as_clip,
    encoded,
    likeness,
    pcm16,
    samples,
    speech,
    wav,
)
from voice_core.audio.limits import Limits
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.upload_decoder import Decoding
from voice_core.domain.errors import InvalidAudio, TooLarge, UnsupportedFormat, VoiceError

PCM = pcm16(speech(16_000))
LIST = chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf\0\0")
TITLE = b"TAG" + b"a title".ljust(125, b"\0")


def slices(pcm: bytes, count: int) -> list[bytes]:
    """*pcm* in pieces of whole samples, the last one shorter."""
    size = -(-len(pcm) // 2 // count) * 2
    return [pcm[start : start + size] for start in range(0, len(pcm), size)]


def wavs(count: int, rate: int = 16_000, **more: bytes) -> list[bytes]:
    """Complete WAV files with a part of the sound each."""
    return [wav(piece, RawPcm(rate), **more) for piece in slices(pcm16(speech(rate)), count)]  # type: ignore[arg-type]


JOINED_WAVS: Mapping[str, bytes] = {
    "a header each": b"".join(wavs(5)),
    "a list after each": b"".join(wavs(5, after=LIST)),
    "a list before the samples of each": b"".join(wavs(5, between=LIST)),
    "a list between the files": LIST.join(wavs(5)),
    "a title between the files": (b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)).join(wavs(4)),
    "an unknown chunk between the files": chunk(b"Xyz!", b"what a recorder notes").join(wavs(4)),
    "only the first has a header": wavs(5)[0] + b"".join(slices(PCM, 5)[1:]),
    "a second data chunk": wavs(2)[0] + chunk(b"data", slices(PCM, 2)[1]),
    "sizes that were never written": b"".join(wav(piece, RawPcm(16_000), size=0xFFFF_FFFF) for piece in slices(PCM, 3)),
    "sizes that are too large": b"".join(wav(piece, RawPcm(16_000), size=1_000_000) for piece in slices(PCM, 3)),
    "empty ones": wav(b"", RawPcm(16_000), size=4_000).join(wavs(3)),
    "a title at the end": b"".join(wavs(3)) + TITLE,
    "half a header at the end": b"".join(wavs(3)) + wav(b"", RawPcm(16_000))[:30],
}


@pytest.mark.parametrize("size", [1, 333, 65_536])
@pytest.mark.parametrize("name", JOINED_WAVS)
async def test_slices_are_heard_as_the_whole(name: str, size: int) -> None:
    """A recording in slices is the same sound, sample by sample, as the recording in one file."""
    assert await decoded(JOINED_WAVS[name], size) == PCM
    assert await decoded_as_clip(JOINED_WAVS[name]) == PCM


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
async def test_slices_of_any_rate_have_no_seam(rate: int) -> None:
    """Resampling continues from one slice to the next."""
    whole = wav(pcm16(speech(rate)), RawPcm(rate))
    assert await decoded(b"".join(wavs(7, rate))) == await decoded(whole)


@pytest.mark.parametrize("size", [500, 65_536])
async def test_slices_of_other_layouts_are_converted(size: int) -> None:
    """Rate, channels and encoding may change from file to file; a stream that changes all the time is refused."""
    parts = [
        wav(samples(channels_of(speech(rate), channels), encoding), RawPcm(rate, channels, encoding))
        for rate, channels, encoding in ((16_000, 1, "s16le"), (48_000, 2, "f32le"), (8_000, 1, "s24le"))
    ]
    pcm = await decoded(b"".join(parts), size)
    each = 38_400
    assert len(pcm) == pytest.approx(3 * each, abs=40)
    assert min(likeness(pcm[start : start + each]) for start in (0, each, len(pcm) - each)) > 0.98
    with pytest.raises(InvalidAudio, match="too often"):
        await decoded(b"".join(parts) * 6, size)


async def test_slices_are_decoded_while_they_arrive() -> None:
    """The sound of a slice comes out before the next one is sent."""
    sent = heard = 0

    async def upload() -> AsyncGenerator[bytes]:
        nonlocal sent
        for file in wavs(4):
            assert heard >= sent - 640
            sent += len(file) - 44
            yield file

    async for pcm in Decoding(None, Limits()).pcm(upload()):
        heard += len(pcm)
    assert heard == len(PCM)


async def test_a_slice_in_another_codec_is_refused() -> None:
    """PCM that goes on as ADPCM is refused as such, never cut short."""
    for file in (wavs(1)[0] + encoded("wav", "adpcm_ms", 16_000), encoded("aiff", "pcm_s16be", 16_000) + wavs(1)[0]):
        for decode in (decoded, decoded_as_clip):
            with pytest.raises((UnsupportedFormat, InvalidAudio), match="each"):
                await decode(file)


async def test_the_limits_are_those_of_all_slices_together() -> None:
    """Slices that are short each are refused when they are too long together, before the last has arrived."""
    decoding = Decoding(None, Limits(max_seconds=1.0))
    parts = wavs(10)

    async def upload() -> AsyncGenerator[bytes]:
        for part in (*parts, *parts):
            yield part

    with pytest.raises(TooLarge):
        assert [pcm async for pcm in decoding.pcm(upload())]
    assert decoding.bytes_in < 12 * len(parts[0])
    m4a = encoded("ipod", "aac", 24_000)
    for decode in (decoded, decoded_as_clip):
        with pytest.raises(TooLarge):
            await decode(m4a * 3, limits=Limits(max_seconds=2.0))


async def test_countless_files_without_sound_are_refused() -> None:
    """The number of files is limited by the length of their sound."""
    for part in (wav(b"\1\0", RawPcm(16_000)), wav(bytes(1_000), RawPcm(16_000)) + LIST * 70):
        with pytest.raises(InvalidAudio, match="too many"):
            await decoded(part * 400)


async def test_a_header_without_an_end_is_not_held() -> None:
    """A second file that announces gigabytes before its samples is refused after a mebibyte."""
    decoding = Decoding(None, Limits())

    async def upload() -> AsyncGenerator[bytes]:
        yield wavs(1)[0] + b"RIFF\xff\xff\xff\xffWAVEJUNK\xff\xff\xff\x7f"
        while True:
            yield bytes(10_000)

    with pytest.raises(InvalidAudio, match="MiB"):
        assert [pcm async for pcm in decoding.pcm(upload())]
    assert decoding.bytes_in < 1_200_000


@given(
    st.lists(st.binary(max_size=60).map(lambda data: data.replace(b"WAVE", b"wave")), max_size=6),
    st.lists(st.integers(1, 200), min_size=1, max_size=4),
)
@example([b"#!AM"], [65])  # with the RIFF that follows, nearly an AMR file
@settings(max_examples=60, deadline=None)
def test_pieces_of_a_stream_do_not_matter(between: list[bytes], sizes: list[int]) -> None:
    """Whatever is between the files, neither the samples nor a refusal depend on how the stream arrives."""
    data = b"".join(part + extra for part, extra in zip(wavs(6), (*between, *[b""] * 6), strict=False))

    async def cut() -> AsyncGenerator[bytes]:
        at, turn = 0, 0
        while at < len(data):
            yield data[at : at + sizes[turn % len(sizes)]]
            at, turn = at + sizes[turn % len(sizes)], turn + 1

    async def heard() -> bytes:
        return b"".join([pcm async for pcm in Decoding(None, Limits()).pcm(cut())])

    assert outcome(heard()) == outcome(decoded(data, len(data)))


def outcome(decoding: Coroutine[Any, Any, bytes]) -> bytes | str:
    """The samples, or the code of the error."""
    try:
        return asyncio.run(decoding)
    except VoiceError as error:
        return error.code


def test_sizes_of_a_big_endian_file_are_read_so() -> None:
    """RIFX slices, whose numbers are big-endian, are joined too."""
    pcm = samples(speech(16_000), "s16be")
    layout = struct.pack(">HHIIHH", 1, 1, 16_000, 32_000, 2, 16)

    def file(body: bytes) -> bytes:
        chunks = b"".join(
            kind + struct.pack(">I", len(held)) + held
            for kind, held in ((b"fmt ", layout), (b"data", body), (b"LIST", b"INFO"))
        )
        return b"RIFX" + struct.pack(">I", 4 + len(chunks)) + b"WAVE" + chunks

    joined = b"".join(map(file, slices(pcm, 4)))
    assert asyncio.run(decoded(joined)) == np.frombuffer(pcm, ">i2").astype("<i2").tobytes()
