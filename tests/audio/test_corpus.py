"""Formats that phones, browsers and desktops record: each is decoded to the same sound, of the same length."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from tests.audio.caf import caf_of, packets
from tests.audio.sounds import channels_of, decoded, encoded, likeness, samples, speech, wav
from voice_core.audio.pcm_layout import RawPcm

SECONDS = 1.2
LENGTH_MARGIN = 0.06
"""Seconds."""

RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)
USUAL = (8_000, 16_000, 24_000, 44_100, 48_000)
OPUS = (8_000, 16_000, 24_000, 48_000)
MPEG = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}

TRIMMED: Sequence[tuple[str, str, Sequence[int]]] = (
    ("ipod", "aac", RATES),
    ("3gp", "aac", USUAL),
    ("mov", "aac", USUAL),
    ("ipod", "alac", USUAL),
    ("caf", "alac", RATES),
    *(("caf", codec, (8_000, 44_100)) for codec in ("pcm_s16le", "pcm_f32le", "pcm_mulaw", "adpcm_ima_qt")),
    *((container, "pcm_s16be", USUAL) for container in ("caf", "aiff", "mov", "au")),
    *(("aiff", codec, (22_050,)) for codec in ("pcm_s8", "pcm_s24be", "pcm_f32be", "pcm_alaw", "adpcm_ima_qt")),
    *((container, "libopus", OPUS) for container in ("webm", "ogg", "mp4", "matroska")),
    *((container, "flac", USUAL) for container in ("flac", "ogg", "mp4")),
    ("mp3", "libmp3lame", MPEG),
    ("w64", "pcm_s24le", USUAL),
)
"""Containers with the exact start and end of the sound."""

PADDED: Sequence[tuple[str, str, Sequence[int]]] = (
    ("adts", "aac", RATES),
    ("latm", "aac", USUAL),
    ("matroska", "aac", USUAL),
    *(("wav", codec, USUAL) for codec in ("adpcm_ms", "adpcm_ima_wav", "libmp3lame")),
)
"""Containers without these: a frame or two of silence stay, before or after the sound."""

OPTIONS: Mapping[str, tuple[str, str, int, dict[str, str]]] = {
    "fragments": ("mp4", "aac", 48_000, FRAGMENTS),
    "short fragments": ("mp4", "aac", 44_100, FRAGMENTS | {"frag_duration": "20000"}),
    "fragments of Opus": ("mp4", "libopus", 48_000, FRAGMENTS | {"frag_duration": "100000"}),
    "index in front": ("mp4", "aac", 24_000, {"moov_size": "3000"}),
    "live WebM": ("webm", "libopus", 48_000, {"live": "1", "cluster_time_limit": "100"}),
    "MP3 without Xing": ("mp3", "libmp3lame", 44_100, {"write_xing": "0", "id3v2_version": "0"}),
    "MP3 with ID3v1": ("mp3", "libmp3lame", 48_000, {"write_id3v1": "1"}),
    "G.722 in WAV": ("wav", "g722", 16_000, {}),
    "RF64": ("wav", "pcm_s16le", 24_000, {"rf64": "always"}),
}


def spread(corpus: Sequence[tuple[str, str, Sequence[int]]]) -> list[tuple[str, str, int]]:
    return [(container, codec, rate) for container, codec, rates in corpus for rate in rates]


@pytest.mark.parametrize(("container", "codec", "rate"), spread(TRIMMED))
async def test_every_recording_is_heard(container: str, codec: str, rate: int) -> None:
    """The decoded sound, mono or stereo, equals its source, including its start and end."""
    for channels in (1, 2):
        pcm = await decoded(encoded(container, codec, rate, channels), 1013)
        assert likeness(pcm) >= 0.98
        assert abs(len(pcm) / 32_000 - SECONDS) < LENGTH_MARGIN


@pytest.mark.parametrize(("container", "codec", "rate"), spread(PADDED))
async def test_padding_is_all_that_may_be_added(container: str, codec: str, rate: int) -> None:
    """If a file does not have the length of the sound, nothing of the sound is lost."""
    for channels in (1, 2):
        pcm = await decoded(encoded(container, codec, rate, channels), 1013)
        assert likeness(pcm) >= 0.98
        assert 0 <= len(pcm) / 32_000 - SECONDS < 0.02 + 2048 / rate


@pytest.mark.parametrize("way", OPTIONS)
async def test_files_are_put_together_in_many_ways(way: str) -> None:
    """Files with fragments, an index in front, no length or no table of contents are decoded like others."""
    container, codec, rate, options = OPTIONS[way]
    pcm = await decoded(encoded(container, codec, rate, options=options))
    assert likeness(pcm) >= 0.98
    assert abs(len(pcm) / 32_000 - SECONDS) < LENGTH_MARGIN


@pytest.mark.parametrize("container", ["ogg", "webm"])
async def test_vorbis_is_heard(container: str) -> None:
    """Vorbis in stereo, which is all that FFmpeg itself encodes, is decoded."""
    pcm = await decoded(encoded(container, "vorbis", 44_100, 2))
    assert likeness(pcm) >= 0.98
    assert abs(len(pcm) / 32_000 - SECONDS) < LENGTH_MARGIN


@pytest.mark.parametrize("channels", [6, 8])
@pytest.mark.parametrize(("container", "codec"), [("ipod", "aac"), ("webm", "libopus"), ("flac", "flac")])
async def test_surround_sound_is_heard(container: str, codec: str, channels: int) -> None:
    """Up to eight channels, planar or interleaved, become one."""
    sound = np.stack([speech(48_000)] * channels, axis=1)
    pcm = await decoded(encoded(container, codec, 48_000, channels, sound=sound))
    assert likeness(pcm) >= 0.98
    assert abs(len(pcm) / 32_000 - SECONDS) < LENGTH_MARGIN


@pytest.mark.parametrize("container", ["amr", "3gp", "mov"])
async def test_narrow_band_telephone_codecs_are_heard(container: str) -> None:
    """AMR preserves words rather than waves: the result is similar to the source."""
    pcm = await decoded(encoded(container, "libopencore_amrnb", 8_000))
    assert likeness(pcm) > 0.75
    assert abs(len(pcm) / 32_000 - SECONDS) < LENGTH_MARGIN


async def test_wide_band_telephone_codecs_are_read() -> None:
    """AMR-WB, for which there is no encoder here, is decoded to 20 ms a frame, whatever is in the frames."""
    file = b"#!AMR-WB\n" + (b"\x44" + bytes(range(60))) * 60
    assert len(await decoded(file)) == 32_000 * 60 // 50


@pytest.mark.parametrize("rate", USUAL)
@pytest.mark.parametrize("index_first", [False, True])
async def test_aac_in_caf_is_heard(rate: int, index_first: bool) -> None:
    """CAF as iPhones write it, with filler and the packet table before or after the sound, is decoded."""
    file = caf_of(b"aac ", rate, packets("aac", rate), index_first=index_first, sound_frames=round(rate * SECONDS))
    pcm = await decoded(file)
    assert likeness(pcm) >= 0.98
    assert abs(len(pcm) / 32_000 - SECONDS) < LENGTH_MARGIN


async def test_pcm_in_caf_whose_length_was_never_written_is_heard() -> None:
    """A file of a recorder that was killed, whose size of the sound is still -1, is decoded."""
    assert likeness(await decoded(caf_of(b"lpcm", 44_100, [samples(speech(44_100), "s16le")], finished=False))) >= 0.98


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("right", [-1.0, -0.8, 0.0, 0.6])
async def test_channels_do_not_cancel_one_another(right: float, rate: int) -> None:
    """Stereo with channels in opposite phase, or with a silent one, is not lost in the mix."""
    stereo = np.stack([speech(rate), right * speech(rate)], axis=1)
    file = wav(samples(stereo, "s16le"), RawPcm(rate, 2))
    pcm = await decoded(file, 333)
    assert likeness(pcm) >= 0.98
    assert np.abs(np.frombuffer(pcm, "<i2")).max() > 9_000
    assert pcm == await decoded(file, len(file))


async def test_opposite_phase_is_heard_in_other_containers() -> None:
    """The decoder of containers mixes channels in the same way as that of WAV."""
    opposed = channels_of(speech(16_000), 2) * (1, -1)
    pcm = await decoded(encoded("flac", "flac", 16_000, 2, sound=opposed))
    assert likeness(pcm) >= 0.98
