"""Files with pictures, and with several sound tracks: the one that was spoken on is heard."""

from collections.abc import Iterator

import av
import numpy as np
import pytest

from tests.audio.films import SoundTrack, film
from tests.audio.sounds import Signal, channels_of, decoded, decoded_as_clip, level_db, likeness, pcm16, read, speech
from voice_core.audio.containers.mp4_index import MOST_ENTRIES
from voice_core.audio.ffmpeg_track import Track
from voice_core.audio.limits import Limits
from voice_core.audio.track_choice import WINDOW_SECONDS

LONG_SECONDS = 22


def long(rate: int) -> Signal:
    """Speech of more samples than FFmpeg may index one by one."""
    return np.tile(speech(rate), -(-LONG_SECONDS * 5 // 6))[: LONG_SECONDS * rate]


@pytest.mark.parametrize(
    ("codec", "rate", "channels", "videos"),
    [
        ("pcm_s24le", 48_000, 1, 1),
        ("pcm_mulaw", 48_000, 1, 1),
        ("pcm_s16le", 48_000, 2, 1),
        ("pcm_s16be", 48_000, 1, 2),
    ],
    ids=["24 bit", "mu-law", "stereo, little endian", "two video tracks"],
)
async def test_a_long_film_with_pcm_is_heard_to_its_end(codec: str, rate: int, channels: int, videos: int) -> None:
    """More than a million samples beside pictures are no reason to refuse a camera's file, uploaded or as a clip."""
    sound = long(rate)
    assert len(sound) > MOST_ENTRIES
    file = film("mov", SoundTrack(codec, rate, channels_of(sound, channels)), videos=videos)
    pcm = await decoded(file, 65_536)
    assert len(pcm) / 32_000 == pytest.approx(LONG_SECONDS, abs=0.05)
    assert likeness(pcm[-round(0.4 * 32_000) - 38_400 : -round(0.4 * 32_000)]) > 0.97
    assert await decoded_as_clip(file) == pcm


def silent_then_spoken(container: str, codec: str, rate: int, before: float = 0.0) -> bytes:
    """A screen recorder's file: the computer's sound is silent, and the microphone is the second track."""
    spoken = np.concatenate([np.zeros(round(before * rate)), speech(rate)])
    silent = np.zeros((len(spoken), 2))
    return film(container, SoundTrack(codec, rate, silent), SoundTrack(codec, rate, spoken))


@pytest.mark.parametrize(
    ("container", "codec", "rate"), [("mov", "pcm_s16le", 48_000), ("mp4", "aac", 48_000), ("matroska", "flac", 44_100)]
)
async def test_a_silent_first_track_is_passed_over(container: str, codec: str, rate: int) -> None:
    """In any container, uploaded or as a clip, the track that has sound is recognised."""
    file = silent_then_spoken(container, codec, rate)
    for pcm in (await decoded(file), await decoded_as_clip(file)):
        assert likeness(pcm) > 0.97
        assert level_db(pcm) == pytest.approx(level_db(pcm16(speech(rate))), abs=0.6)


async def test_sound_may_begin_after_the_first_window() -> None:
    """While all tracks are silent, nothing is decided, and the silence before the speech keeps its length."""
    silence = WINDOW_SECONDS + 2.5
    file = silent_then_spoken("mov", "pcm_s16le", 8_000, before=silence)
    limits = Limits(max_seconds=100.0)
    for pcm in (await decoded(file, limits=limits), await decoded_as_clip(file, limits)):
        assert len(pcm) / 32_000 == pytest.approx(silence + 1.2, abs=0.01)
        assert likeness(pcm[round(silence * 32_000) :]) > 0.97


async def test_the_first_track_is_heard_if_it_has_sound() -> None:
    """A louder second track does not replace the first."""
    file = film("mov", SoundTrack("pcm_s16le", 16_000, speech(16_000) * 0.2), SoundTrack("aac", 16_000, _tone(1.2)))
    assert likeness(await decoded(file)) > 0.98


async def test_a_chime_is_not_speech() -> None:
    """A first track that only chimes once is not chosen over seconds of speech."""
    chime = np.concatenate([_tone(0.2), np.zeros(16_000 * 6)])
    spoken = np.tile(speech(16_000), 5)
    file = film("mp4", SoundTrack("aac", 16_000, chime), SoundTrack("aac", 16_000, spoken))
    assert likeness((await decoded(file))[: round(1.2 * 32_000)]) > 0.97


async def test_silent_tracks_are_a_silent_recording() -> None:
    """If no track has sound, the recording is silence of the same length, which the speech gate reports."""
    file = film("mov", *[SoundTrack("pcm_s16le", 16_000, np.zeros(16_000))] * 2)
    assert await decoded(file) == bytes(32_000)


def test_each_track_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the choice only the chosen track is decoded; before it, each packet of each track once."""
    decoded_packets: list[int] = []
    original = Track.pcm

    def counted(self: Track, packet: "av.Packet[av.AudioStream]") -> Iterator[bytes]:
        decoded_packets.append(self.index)
        return original(self, packet)

    monkeypatch.setattr(Track, "pcm", counted)
    spoken = np.tile(speech(8_000), 60)
    file = film("mov", SoundTrack("aac", 8_000, np.zeros(len(spoken))), SoundTrack("aac", 8_000, spoken), videos=0)
    assert read(file, Limits(max_seconds=100))
    silent, spoken_packets = (decoded_packets.count(index) for index in (0, 1))
    assert spoken_packets == pytest.approx(len(spoken) / 1024, abs=4)
    assert silent == pytest.approx(WINDOW_SECONDS * 8_000 / 1024, abs=12)


def _tone(seconds: float) -> Signal:
    tone: Signal = 0.8 * np.sin(2 * np.pi * 880 * np.arange(round(seconds * 16_000)) / 16_000)
    return tone


@pytest.mark.parametrize("codec", [b"apac", b"ac-4", b"ec-3", b"dtsc"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
async def test_a_track_in_a_codec_that_is_not_read_is_passed_over(codec: bytes, first: bool) -> None:
    """A phone writes spatial sound beside AAC: the track that can be read is heard, wherever it is."""
    tracks = SoundTrack("aac", 48_000, speech(48_000)), SoundTrack("alac", 48_000, speech(48_000))
    file = film("mov", *(reversed(tracks) if first else tracks))
    file = file.replace(b"alac\0\0\0\0\0\0\0\1", codec + b"\0\0\0\0\0\0\0\1")
    assert codec in file
    for pcm in (await decoded(file), await decoded_as_clip(file)):
        assert likeness(pcm) > 0.9
