import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.sounds import Signal, channels_of, likeness, pcm16, samples, speech
from voice_core.audio.pcm import Converter
from voice_core.audio.pcm_layout import ENCODINGS, RawPcm
from voice_core.domain.errors import UnsupportedFormat

RATES = (8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)


def tone(frequency: float, rate: int, seconds: float = 1.0) -> Signal:
    wave: Signal = 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)
    return wave


def converted(pcm: bytes, layout: RawPcm, sizes: tuple[int, ...] = (4096,)) -> bytes:
    """*pcm* through a Converter, in pieces of *sizes* in turn."""
    converter, out, at, turn = Converter(layout), [], 0, 0
    while at < len(pcm):
        size = sizes[turn % len(sizes)]
        out.append(converter.feed(pcm[at : at + size]))
        at, turn = at + size, turn + 1
    return b"".join((*out, converter.finish()))


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_keeps_its_pitch_level_and_place(rate: int) -> None:
    """A tone of 1 kHz is the same sine, sample by sample, at every rate."""
    heard = np.frombuffer(converted(pcm16(tone(1000, rate)), RawPcm(rate)), "<i2")
    expected = tone(1000, 16_000) * 32_767
    assert len(heard) == 16_000
    assert np.abs(heard - expected)[200:-200].max() < 4


@pytest.mark.parametrize("frequency", [9_000, 10_000, 12_500, 15_000, 20_000])
@pytest.mark.parametrize("rate", [24_000, 44_100, 48_000, 96_000])
def test_tones_that_cannot_be_heard_leave_no_alias(rate: int, frequency: int) -> None:
    """Tones above 8 kHz are at least 60 dB down after resampling to 16 kHz."""
    if frequency >= rate / 2:
        return
    heard = np.frombuffer(converted(pcm16(tone(frequency, rate)), RawPcm(rate)), "<i2")[400:-400]
    assert np.sqrt(np.mean(heard.astype(float) ** 2)) < 0.5 * 32_767 / np.sqrt(2) / 1000


@given(
    rate=st.sampled_from((8_000, 16_000, 24_000, 44_100, 48_000)),
    encoding=st.sampled_from(("s16le", "s24le", "f32le", "u8")),
    sizes=st.lists(st.integers(1, 5_000), min_size=1, max_size=6),
)
@settings(max_examples=40, deadline=None)
def test_the_sound_does_not_depend_on_how_it_is_cut(rate: int, encoding: str, sizes: list[int]) -> None:
    """Pieces of any size, cut within samples too, give identical bytes."""
    layout = RawPcm(rate, 2, encoding)
    pcm = samples(channels_of(speech(rate, 0.3), 2), encoding)
    sizes[0] += 200
    assert converted(pcm, layout, tuple(sizes)) == converted(pcm, layout, (len(pcm),))


@pytest.mark.parametrize("encoding", [encoding for encoding in ENCODINGS if "law" not in encoding])
def test_every_encoding_is_heard(encoding: str) -> None:
    """Each byte order and width gives the source sound."""
    assert likeness(converted(samples(speech(16_000), encoding), RawPcm(16_000, 1, encoding))) > 0.999


@pytest.mark.parametrize("encoding", ["s24le", "s24be", "s32le", "s32be", "s16be"])
def test_whole_numbers_at_16_khz_keep_their_bits(encoding: str) -> None:
    """Without resampling, the upper 16 bits are unchanged."""
    pcm = pcm16(speech(16_000))
    numbers = np.frombuffer(pcm, "<i2").astype(np.int64)
    width = ENCODINGS[encoding]
    order: str = "little" if encoding.endswith("le") else "big"
    raw = b"".join(
        (int(number) << 8 * (width - 2)).to_bytes(width, order, signed=True)  # type: ignore[arg-type]
        for number in numbers
    )
    assert converted(raw, RawPcm(16_000, 1, encoding)) == pcm


def test_recognition_pcm_passes_untouched() -> None:
    """Mono 16-bit PCM at 16 kHz is unchanged, except that half a sample at its end is dropped."""
    pcm = pcm16(speech(16_000))
    assert converted(pcm + b"\x01", RawPcm(16_000), (333,)) == pcm


def test_floats_beyond_full_scale_are_clipped() -> None:
    """Samples that are too loud, infinite or NaN become valid samples."""
    floats = np.array([2.0, -2.0, np.inf, -np.inf, np.nan, 0.5], "<f4").tobytes()
    heard = np.frombuffer(converted(floats, RawPcm(16_000, 1, "f32le")), "<i2")
    assert heard.tolist() == [32767, -32768, 32767, -32768, 0, 16384]


def test_the_first_20_ms_are_heard_at_once() -> None:
    """A chunk is converted when it arrives, except for the two milliseconds of the filter's delay."""
    converter = Converter(RawPcm(48_000))
    first = converter.feed(pcm16(speech(48_000))[: 48_000 * 2 // 50])
    assert len(first) >= 2 * 16_000 * 0.017


@pytest.mark.parametrize("layout", [(16_000, 1, "s12le"), (1_000, 1, "s16le"), (16_000, 0, "s16le"), (16_000, 9, "u8")])
def test_layouts_that_cannot_be_read_are_refused(layout: tuple[int, int, str]) -> None:
    """Unknown encodings, rates and channel counts are typed errors."""
    with pytest.raises(UnsupportedFormat):
        RawPcm(*layout)
