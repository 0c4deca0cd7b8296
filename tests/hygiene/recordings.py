"""Real recordings to damage: some words in every container and codec that the product reads."""

import wave
from collections.abc import Mapping
from functools import cache

import numpy as np

from tests.audio.caf import caf_of, packets
from tests.audio.sounds import Signal, channels_of, encoded, pcm16, samples, wav
from tests.conftest import ROOT
from voice_core.audio.pcm_layout import RawPcm

SECONDS = 0.4
"""Length of each recording: short files are decoded quickly, and a dozen frames reach every state of a codec."""

WORDS_BEGIN = 0.3
"""Offset of the first word in the sample, in seconds."""

FRAGMENTS = {"movflags": "frag_keyframe+empty_moov", "frag_duration": "100000"}

ENCODED: tuple[tuple[str, str, int, int, dict[str, str]], ...] = (
    ("ipod", "aac", 44_100, 1, {}),
    ("ipod", "aac", 48_000, 2, {"moov_size": "3000"}),
    ("mp4", "aac", 16_000, 1, FRAGMENTS),
    ("mp4", "flac", 24_000, 1, {}),
    ("ipod", "alac", 44_100, 2, {}),
    ("mov", "pcm_s16be", 24_000, 1, {}),
    ("3gp", "aac", 16_000, 1, {}),
    ("3gp", "libopencore_amrnb", 8_000, 1, {}),
    ("amr", "libopencore_amrnb", 8_000, 1, {}),
    ("webm", "libopus", 48_000, 1, {}),
    ("webm", "libopus", 48_000, 2, {"live": "1", "cluster_time_limit": "100"}),
    ("webm", "vorbis", 44_100, 2, {}),
    ("matroska", "aac", 24_000, 1, {}),
    ("ogg", "libopus", 48_000, 1, {}),
    ("ogg", "vorbis", 44_100, 2, {}),
    ("ogg", "flac", 16_000, 1, {}),
    ("mp3", "libmp3lame", 44_100, 1, {}),
    ("mp3", "libmp3lame", 16_000, 2, {"write_xing": "0"}),
    ("flac", "flac", 24_000, 1, {}),
    ("flac", "flac", 48_000, 2, {}),
    ("adts", "aac", 44_100, 1, {}),
    ("latm", "aac", 24_000, 1, {}),
    ("caf", "pcm_s16le", 16_000, 1, {}),
    ("caf", "alac", 24_000, 1, {}),
    ("aiff", "pcm_s16be", 24_000, 1, {}),
    ("aiff", "adpcm_ima_qt", 22_050, 1, {}),
    ("au", "pcm_s16be", 16_000, 1, {}),
    ("w64", "pcm_s24le", 16_000, 1, {}),
    ("wav", "adpcm_ms", 16_000, 1, {}),
    ("wav", "adpcm_ima_wav", 24_000, 2, {}),
    ("wav", "libmp3lame", 44_100, 1, {}),
    ("wav", "g722", 16_000, 1, {}),
    ("wav", "pcm_s16le", 24_000, 1, {"rf64": "always"}),
)
"""Container, codec, hertz, channels, and options of the muxer."""

LAYOUTS = (
    RawPcm(8_000, 1, "u8"),
    RawPcm(8_000, 1, "mulaw"),
    RawPcm(8_000, 1, "alaw"),
    RawPcm(16_000, 1, "s16le"),
    RawPcm(44_100, 2, "s16le"),
    RawPcm(24_000, 1, "s24le"),
    RawPcm(48_000, 1, "s32le"),
    RawPcm(48_000, 2, "f32le"),
    RawPcm(16_000, 1, "f64le"),
)
"""Layouts of plain WAV files."""


@cache
def recordings() -> Mapping[str, bytes]:
    """Files by a description of their format."""
    files = {
        f"{kind} {codec} {rate}x{channels}": _encoded(kind, codec, rate, channels, options)
        for kind, codec, rate, channels, options in ENCODED
    }
    files |= {f"wav {layout.encoding} {layout.rate}x{layout.channels}": _wav(layout) for layout in LAYOUTS}
    return files | {
        "wav as iPhones write it": wav(pcm16(words(44_100)), RawPcm(44_100), before=b"JUNK\x1c\0\0\0" + bytes(28),
                                       between=b"FLLR\xc8\x0f\0\0" + bytes(4040)),
        "wav extensible": wav(pcm16(words(16_000)), RawPcm(16_000), extensible=True),
        "wav of unknown length": wav(pcm16(words(16_000)), RawPcm(16_000), size=0xFFFF_FFFF),
        "caf aac as iPhones write it": caf_of(b"aac ", 44_100, packets("aac", 44_100), sound_frames=52_920),
        "mp3 behind a tag": b"ID3\4\0\0\0\0\1\0" + bytes(128) + _encoded("mp3", "libmp3lame", 24_000, 1, {}),
    }  # fmt: skip


@cache
def words(rate: int) -> Signal:
    """An excerpt of samples/hello.wav at *rate* hertz, shape (n,), between -1 and 1."""
    with wave.open(str(ROOT / "samples" / "hello.wav")) as sample:
        recorded = sample.getframerate()
        sample.setpos(round(WORDS_BEGIN * recorded))
        pcm = np.frombuffer(sample.readframes(round(SECONDS * recorded)), "<i2")
    moments = np.arange(round(SECONDS * rate)) / rate
    # Linear interpolation is good enough: the sound only has to exercise codecs.
    return np.interp(moments, np.arange(len(pcm)) / recorded, pcm / 32_768)


def _encoded(kind: str, codec: str, rate: int, channels: int, options: dict[str, str]) -> bytes:
    return encoded(kind, codec, rate, channels, options=options, sound=channels_of(words(rate), channels))


def _wav(layout: RawPcm) -> bytes:
    sound = words(layout.rate)
    return wav(samples(sound if layout.channels == 1 else channels_of(sound, layout.channels), layout.encoding), layout)
