import asyncio
import base64
from textwrap import fill

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.sounds import channels_of, chunk, decoded, encoded, pcm16, samples, speech, wav
from voice_core.audio.base64_audio import decode_base64_audio
from voice_core.audio.pcm_layout import RawPcm
from voice_core.domain.errors import InvalidAudio

PCM = pcm16(speech(24_000))


def cut(file: bytes) -> str:
    """The result of ``base64.substring(Math.ceil(44 * 4 / 3))``."""
    return base64.b64encode(file).decode()[59:]


async def heard(file: bytes) -> bytes:
    """The sound of *file* after a client cut it."""
    audio = decode_base64_audio(cut(file))
    assert audio.cut
    return await decoded(audio.data, raw=audio.raw)


def correlation(one: bytes, other: bytes) -> float:
    return float(np.corrcoef(np.frombuffer(one, "<i2"), np.frombuffer(other, "<i2"))[0, 1])


@given(st.binary(max_size=300))
def test_base64_is_read_in_all_its_forms(data: bytes) -> None:
    """Base64 that is plain, URL-safe, without padding, wrapped or in a data URI gives the same bytes."""
    plain = base64.b64encode(data).decode()
    safe = base64.urlsafe_b64encode(data).decode()
    forms = [plain, safe, plain.rstrip("="), fill(plain, 76), f" {plain}\r\n", f"data:audio/wav;base64,{plain}"]
    forms += [f"DATA:audio/webm;codecs=opus;BASE64,{safe.rstrip('=')}"]
    forms += [f'data:audio/webm;codecs="opus,vorbis";base64,{plain}', f"data:;base64,{plain}"]
    forms += [f"data:video/webm;codecs=vp8,opus;base64,{plain}", f"data:video/mp4; codecs=avc1,mp4a;base64,{plain}"]
    for form in forms:
        audio = decode_base64_audio(form)
        assert (audio.data, audio.raw, audio.cut) == (data, None, False)


@pytest.mark.parametrize("text", ["AAA!", "AAAA=AAA", "ÄÖÜß", "A=AA", "====", "AA=A", "data:;base64,A!", "\ud800AAA"])
def test_anything_else_is_refused(text: str) -> None:
    """A text that is not base64 is a typed error, never silently other bytes."""
    with pytest.raises(InvalidAudio) as refused:
        decode_base64_audio(text)
    assert refused.value.code == "audio-base64-invalid"


@pytest.mark.parametrize("stranger", ["\u00e9", "\u00a0", "\ufeff", "\u2028", "\u3000", "\U0001f600", "\udc00"])
@pytest.mark.parametrize("before", [True, False])
def test_other_characters_are_refused_at_once(stranger: str, before: bool) -> None:
    """A character outside ASCII, white space included, is refused before the text is processed."""
    text = _UniterableText(stranger + "AAAA" if before else "AAAA" + stranger)
    with pytest.raises(InvalidAudio) as refused:
        decode_base64_audio(text)
    assert refused.value.code == "audio-base64-invalid"


class _UniterableText(str):
    """A text that fails the test if it is read a character at a time, or copied."""

    def translate(self, table: object) -> str:
        raise AssertionError(f"translated by {table}")

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        raise AssertionError(f"encoded as {encoding}, {errors}")


@pytest.mark.parametrize("container", ["wav", "ogg", "mp3", "ipod"])
def test_a_text_that_lost_its_end_is_refused(container: str) -> None:
    """A file that breaks off after 4 n + 1 characters still begins as one, and is refused rather than misread."""
    codec = {"wav": "pcm_s16le", "ogg": "libopus", "mp3": "libmp3lame", "ipod": "aac"}[container]
    text = base64.b64encode(encoded(container, codec, 24_000)).decode()
    for length in (len(text) - 3, 30_001 if len(text) > 30_001 else 4_001):
        with pytest.raises(InvalidAudio, match="ends too early"):
            decode_base64_audio(text[:length])


def test_an_empty_text_is_an_empty_recording() -> None:
    """An empty text decodes to no bytes, which the upload decoder reports as an empty recording."""
    assert decode_base64_audio("").data == b""


@given(st.integers(0, 400))
def test_a_cut_plain_wav_is_its_samples(count: int) -> None:
    """All samples but the first of a cut WAV with a header of 44 bytes are recovered, at any length."""
    pcm = bytes(range(1, 256)) * 2
    file = wav(pcm[:count], RawPcm())
    audio = decode_base64_audio(cut(file))
    assert audio.data[: max(0, count - 2)] == pcm[2:count]
    assert len(audio.data) - max(0, count - 2) in (0, 1)
    assert audio.cut
    assert audio.raw in (None, RawPcm())


async def test_the_cut_sound_is_as_loud_as_the_source() -> None:
    """The sound of a cut recording is not shifted by a byte."""
    expected = await decoded(PCM[2:], raw=RawPcm())
    assert await heard(wav(PCM, RawPcm())) == expected


@given(
    rate=st.sampled_from((8_000, 16_000, 44_100, 48_000)),
    channels=st.sampled_from((1, 2)),
    encoding=st.sampled_from(("s16le", "s24le", "f32le")),
    filler=st.integers(0, 2100).map(lambda half: 2 * half),
    tail=st.integers(0, 5),
)
@settings(max_examples=30, deadline=None)
def test_a_cut_iphone_wav_keeps_its_layout(rate: int, channels: int, encoding: str, filler: int, tail: int) -> None:
    """A ``fmt`` chunk after filler is found and applied, and so is the end of the samples."""
    layout = RawPcm(rate, channels, encoding)
    body = samples(channels_of(speech(rate, 0.2), channels), encoding)
    body = body[: len(body) - tail * layout.frame_bytes]
    before, between = chunk(b"JUNK", bytes(28)), chunk(b"FLLR", bytes(filler))
    file = wav(body, layout, before, between, chunk(b"LIST", bytes(tail)))
    assert asyncio.run(heard(file)) == asyncio.run(decoded(file))


@pytest.mark.parametrize(
    "between",
    [
        chunk(b"FLLR", bytes(4044)),
        chunk(b"LIST", b"INFOISFT\x0d\0\0\0Lavf61.7.100\0"),
        chunk(b"fact", bytes(4)),
        chunk(b"PEAK", b"\x01\0\0\0" + bytes(12)),
    ],
    ids=["filler", "list", "fact", "peak"],
)
@pytest.mark.parametrize("after", [b"", chunk(b"LIST", b"INFO" + bytes(21))], ids=["", "list"])
async def test_a_cut_wav_with_other_chunks_is_only_its_samples(between: bytes, after: bytes) -> None:
    """Chunks before and after the samples are not decoded as sound."""
    assert await heard(wav(PCM, RawPcm(), between=between, after=after)) == await decoded(PCM, raw=RawPcm())


async def test_a_cut_wav_of_unknown_length_is_read_to_its_end() -> None:
    """Samples after filler are found even if their size was never written."""
    file = wav(PCM, RawPcm(), between=chunk(b"FLLR", bytes(4044)), size=0xFFFFFFFF)
    assert await heard(file) == await decoded(PCM, raw=RawPcm())


@pytest.mark.parametrize(
    ("container", "codec", "options"),
    [
        ("3gp", "aac", None),
        ("3gp", "libopencore_amrnb", None),
        ("ipod", "aac", None),
        ("ipod", "alac", None),
        ("mp4", "aac", {"moov_size": "2000"}),
        ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    ],
    ids=["Android", "AMR", "m4a", "ALAC", "index in front", "fragments"],
)
@pytest.mark.parametrize("seconds", [0.3, 0.301, 0.31, 1.2])
async def test_a_cut_mp4_is_put_together_again(
    container: str, codec: str, options: dict[str, str] | None, seconds: float
) -> None:
    """Android's recordings named WAV are decoded to the last sample, at any length."""
    file = encoded(container, codec, 8_000 if "amr" in codec else 24_000, seconds=seconds, options=options)
    expected = await decoded(file)
    pcm = await heard(file)
    # The first frame may have begun in the lost bytes.
    known = len(expected) - 32_000 // 10
    assert known <= len(pcm) <= len(expected)
    assert correlation(pcm[-known:], expected[-known:]) > 0.98


@given(st.binary(max_size=600), st.sampled_from([b"", b"moov", b"trak", b"fmt ", b"data"]), st.binary(max_size=600))
@settings(max_examples=200, deadline=None)
def test_any_cut_text_is_read(before: bytes, word: bytes, after: bytes) -> None:
    """Any cut text is decoded to something."""
    audio = decode_base64_audio(cut(bytes(45) + before + word + after))
    assert audio.cut
    assert audio.data is not None


async def test_words_in_the_sound_are_not_taken_for_boxes() -> None:
    """Bytes that spell the name of a chunk or box, without its structure, are samples."""
    for word in (
        b"moov",
        b"moov\0\0\0\x6cmvhd",
        b"trak\0\0\0\x5ctkhd",
        b"fmt ",
        b"data",
        b"fmt \x02\0\0\0\0\0data\0\0\0\0",
        b"data\0\1\0\0" * 20,
        b"data\x08\0\0\0" * 40,
        b"\0fmt \x10\0\0\0" + bytes(17),
    ):
        pcm = PCM[:100] + word + PCM[100:]
        assert decode_base64_audio(cut(wav(pcm, RawPcm()))).data == pcm[2:]
