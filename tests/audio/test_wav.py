import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.sounds import channels_of, chunk, decoded, fmt, likeness, pcm16, samples, speech, wav
from voice_core.audio.pcm_layout import ENCODINGS, RawPcm
from voice_core.audio.wav import header, read_header, whole
from voice_core.domain.errors import InvalidAudio, UnsupportedFormat, VoiceError

RATES = (8_000, 16_000, 24_000, 44_100, 48_000)
ENCODINGS_IN_WAV = ("u8", "s16le", "s24le", "s32le", "f32le", "f64le", "alaw", "mulaw")
FURNITURE = {
    "plain": {},
    "iPhone": {"before": chunk(b"JUNK", bytes(28)), "between": chunk(b"FLLR", bytes(4008))},
    "listed": {"between": chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf\0\0"), "after": chunk(b"LIST", b"\xff\x7f" * 2000)},
    "broadcast": {"before": chunk(b"bext", bytes(602)), "between": chunk(b"fact", bytes(4)) + chunk(b"odd ", b"odd")},
    "extensible": {"extensible": True},
    "endless": {"size": 0xFFFFFFFF},
    "piped": {"size": 0},
    "seekless": {"size": 0x7FFFF000},
    "cut": {"size": 1_000_000},
}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("encoding", ENCODINGS_IN_WAV)
async def test_every_sample_format_is_heard(encoding: str, channels: int, rate: int) -> None:
    """WAV of 8 to 64 bits, integer, float and G.711, mono and stereo, at any rate gives the source sound."""
    sound = speech(rate) if "law" in encoding else channels_of(speech(rate), channels)
    layout = RawPcm(rate, 1 if "law" in encoding else channels, encoding)
    assert likeness(await decoded(wav(samples(sound, encoding), layout), 977)) > 0.98


@pytest.mark.parametrize("furniture", FURNITURE)
@pytest.mark.parametrize("size", [1, 640, 100_000])
async def test_what_stands_around_the_samples_is_not_heard(furniture: str, size: int) -> None:
    """Filler, lists, unknown lengths and missing ends change no sample, in pieces of any size."""
    pcm = pcm16(speech(16_000))
    file = wav(pcm, RawPcm(16_000), **FURNITURE[furniture])  # type: ignore[arg-type]
    assert await decoded(file, size) == pcm


async def test_an_odd_chunk_without_padding_is_read() -> None:
    """A file without the padding byte of an odd chunk is read."""
    file = wav(pcm16(speech(16_000)), RawPcm(16_000), between=b"odd \x03\0\0\0abc")
    assert await decoded(file) == pcm16(speech(16_000))


@pytest.mark.parametrize("encoding", ["s16be", "s24be", "f32be", "u8"])
async def test_wavs_of_the_other_byte_order_are_heard(encoding: str) -> None:
    """RIFX, which is RIFF with big-endian numbers, is decoded."""
    body = samples(speech(16_000), encoding)
    width = len(body) // len(speech(16_000))
    layout = struct.pack(">HHIIHH", 3 if encoding[0] == "f" else 1, 1, 16_000, 16_000 * width, width, 8 * width)
    chunks = b"".join(kind + struct.pack(">I", len(held)) + held for kind, held in ((b"fmt ", layout), (b"data", body)))
    assert likeness(await decoded(b"RIFX" + struct.pack(">I", 4 + len(chunks)) + b"WAVE" + chunks, 333)) > 0.98


@pytest.mark.parametrize("size", [1, 700, 100_000])
@pytest.mark.parametrize("tags", [1, 3])
@pytest.mark.parametrize("tag_bytes", [0, 127, 20_000])
async def test_a_tag_before_a_wav_is_passed_over(tag_bytes: int, tags: int, size: int) -> None:
    """A WAV behind ID3 tags is decoded while it arrives, as if there were no tags."""
    tag = b"ID3\x04\0\0" + bytes((0, tag_bytes >> 14, tag_bytes >> 7 & 127, tag_bytes & 127)) + bytes(tag_bytes)
    pcm = pcm16(speech(16_000, 0.3))
    assert await decoded(tag * tags + wav(pcm, RawPcm(16_000)), size) == pcm


async def test_eight_channels_are_mixed_and_nine_refused() -> None:
    """Up to eight channels become their mean, and nine are refused."""
    sound = channels_of(speech(48_000), 8)
    assert likeness(await decoded(wav(samples(sound, "s16le"), RawPcm(48_000, 8)))) > 0.98
    nine = bytearray(wav(bytes(180), RawPcm(48_000)))
    nine[22:24] = struct.pack("<H", 9)
    with pytest.raises(UnsupportedFormat) as refused:
        await decoded(bytes(nine))
    assert refused.value.code == "audio-format-unsupported"


def test_24_bits_in_32_are_read_as_32() -> None:
    """The size of a sample follows from the frame size, not from the number of valid bits."""
    body = bytearray(fmt(RawPcm(48_000, 2, "s32le")))
    body[14:16] = struct.pack("<H", 24)
    file = b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", bytes(body)) + chunk(b"data", bytes(8))
    found = read_header(file)
    assert found
    assert found.layout == RawPcm(48_000, 2, "s32le")


def test_a_long_wav_says_its_size_elsewhere() -> None:
    """The size of the samples in RF64 is read from its chunk of 64-bit sizes."""
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, 1234, 617, 0))
    file = b"RF64" + wav(bytes(1234), RawPcm(), before=ds64, size=0xFFFFFFFF)[4:]
    found = read_header(file)
    assert found
    assert found.data_bytes == 1234


@pytest.mark.parametrize("rate", [0, 3_999, 192_001, 2**32 - 1])
def test_impossible_rates_are_refused(rate: int) -> None:
    """Rates that no microphone has are refused."""
    file = bytearray(wav(bytes(10), RawPcm()))
    file[24:28] = struct.pack("<I", rate)
    with pytest.raises(UnsupportedFormat):
        read_header(file)


@pytest.mark.parametrize(
    "file",
    [
        b"RIFF\0\0\0\0WAVE" + chunk(b"data", bytes(100)),
        b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", bytes(10)) + chunk(b"data", bytes(100)),
        b"RIFF\0\0\0\0WAVE" + b"LIST\0\0\0\0" * 1000,
    ],
    ids=["no fmt", "short fmt", "chunks without end"],
)
async def test_a_header_that_makes_no_sense_is_refused(file: bytes) -> None:
    """A header without a valid layout is refused."""
    with pytest.raises(InvalidAudio) as refused:
        await decoded(file, 100)
    assert refused.value.code == "audio-unreadable"


async def test_a_header_that_never_ends_is_truncated() -> None:
    """A WAV that ends before its samples is truncated, one without samples is empty."""
    file = wav(b"", RawPcm())
    for size in range(16, len(file) - 8):
        with pytest.raises(InvalidAudio) as refused:
            await decoded(file[:size])
        assert refused.value.code == "audio-truncated"
    with pytest.raises(InvalidAudio) as refused:
        await decoded(file)
    assert refused.value.code == "audio-empty"


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_headers_are_read_or_refused(data: st.DataObject) -> None:
    """Damaged bytes before the samples give a header, a request for more bytes, or a typed error."""
    file = bytearray(wav(bytes(64), RawPcm(), **FURNITURE["broadcast"]))  # type: ignore[arg-type]
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(0, 60))] = data.draw(st.integers(0, 255))
    try:
        found = read_header(file)
    except VoiceError:
        return
    assert found is None or found.layout is None or found.layout.encoding in ENCODINGS


def test_our_own_headers_are_read_back() -> None:
    """A file of ours has its rate and exact size, a stream of ours an unknown size."""
    pcm = pcm16(speech(24_000))
    file = whole(pcm, 24_000)
    found, endless = read_header(file), read_header(header(24_000))
    assert found
    assert endless
    assert (found.layout, file[found.data_offset :], found.data_bytes) == (RawPcm(24_000), pcm, len(pcm))
    assert int.from_bytes(file[4:8], "little") == len(file) - 8
    assert (endless.layout, endless.data_bytes) == (RawPcm(24_000), None)
