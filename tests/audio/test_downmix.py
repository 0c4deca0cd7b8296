"""The mix of channels: what one of them carries is as loud as in a mono recording."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.sounds import (
    Signal,
    decoded,
    decoded_as_clip,
    encoded,
    level_db,
    likeness,
    pcm16,
    samples,
    speech,
    wav,
)
from voice_core.audio.downmix import Downmix
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.speech_gate import SpeechGate

RATE = 16_000
NOISE = np.random.default_rng(5).standard_normal((round(1.2 * RATE), 8))


def only_in(channel: int, channels: int, sound: Signal, rest: Signal | None = None) -> Signal:
    """*sound* in one of several channels, above the *rest*."""
    frames = np.zeros((len(sound), channels)) if rest is None else rest[: len(sound), :channels].copy()
    frames[:, channel] += sound
    return frames


def at(sound: Signal, decibels: float) -> Signal:
    quieter: Signal = sound * 10 ** (decibels / 20) / np.sqrt(np.mean(sound**2))
    return quieter


async def mixed(frames: Signal, rate: int = RATE) -> bytes:
    return await decoded(wav(samples(frames, "f32le"), RawPcm(rate, frames.shape[1], "f32le")))


@pytest.mark.parametrize(("channel", "channels"), [(0, 2), (1, 2), (2, 6), (3, 6), (0, 8), (7, 8), (1, 3), (3, 4)])
async def test_speech_in_one_channel_is_as_loud_as_in_mono(channel: int, channels: int) -> None:
    """In any channel of stereo, 5.1, 7.1 or discrete channels, from which 20 ms at the start are quieter."""
    sound = speech(RATE)
    pcm = await mixed(only_in(channel, channels, sound))
    assert likeness(pcm) > 0.99
    assert level_db(pcm) == pytest.approx(level_db(pcm16(sound)), abs=0.3)


@pytest.mark.parametrize("channels", [2, 6, 8])
async def test_the_same_speech_in_all_channels_is_as_loud_as_in_mono(channels: int) -> None:
    """At full scale it stays at full scale, without clipping."""
    sound = speech(RATE) / np.abs(speech(RATE)).max() * 0.999
    pcm = await mixed(np.stack([sound] * channels, axis=1))
    assert likeness(pcm) > 0.9999
    assert np.abs(np.frombuffer(pcm, "<i2") - sound * 32_768).max() < 3


@pytest.mark.parametrize("container", ["flac", "ipod", "wav"])
@pytest.mark.parametrize("channel", [0, 2, 5])
async def test_containers_are_mixed_alike(container: str, channel: int) -> None:
    """Uploads and clips, lossless or not."""
    sound = speech(48_000)
    codec = {"flac": "flac", "ipod": "aac", "wav": "pcm_s16le"}[container]
    # FFmpeg's AAC leaves nothing of speech in the channel for low frequencies.
    frames = only_in(channel, 6, sound)
    file = encoded(container, codec, 48_000, 6, sound=frames)
    for pcm in (await decoded(file), await decoded_as_clip(file)):
        assert likeness(pcm) > 0.97
        assert level_db(pcm) == pytest.approx(level_db(pcm16(sound)), abs=1.0)


@pytest.mark.parametrize("rest", ["hiss", "hum", "DC", "dither"])
@pytest.mark.parametrize("channels", [2, 8])
async def test_what_else_the_channels_carry_stays_in_the_background(rest: str, channels: int) -> None:
    """Channels with the noise of an open input, a mains hum or a constant add little to speech in another."""
    t = np.arange(len(NOISE)) / RATE
    others = {
        "hiss": at(NOISE, -60),
        "hum": np.repeat(at(np.sin(2 * np.pi * 50 * t), -30)[:, None], 8, axis=1),
        "DC": np.full(NOISE.shape, 0.05),
        "dither": NOISE / 32_768,
    }[rest]
    sound = at(speech(RATE), -30)
    others[:, 1] = 0
    pcm = await mixed(only_in(1, channels, sound, others))
    loudness = level_db(pcm16(sound))
    assert level_db(pcm) == pytest.approx(loudness, abs=0.7)
    assert likeness(pcm) > 0.95


@pytest.mark.parametrize("channels", [2, 6])
@pytest.mark.parametrize("noise", ["hiss", "buzz"])
async def test_loud_steady_noise_is_passed_over(noise: str, channels: int) -> None:
    """A channel of loud noise, as from a broken cable, is left out after three seconds."""
    seconds = 6
    sound = np.tile(at(speech(RATE), -30), seconds)[: seconds * RATE]
    t = np.arange(len(sound)) / RATE
    buzz = np.sign(np.sin(2 * np.pi * 100 * t))
    frames = only_in(0, channels, sound)
    frames[:, 1] = at({"hiss": np.resize(NOISE[:, 0], len(sound)), "buzz": buzz}[noise], -20)
    heard = np.frombuffer(await mixed(frames), "<i2")[3 * RATE :]
    assert np.corrcoef(heard, sound[3 * RATE :])[0, 1] > 0.97


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
async def test_the_gate_opens_for_quiet_speech_in_one_channel(channels: int) -> None:
    """Speech at -51 dB in the last channel opens it as in a mono recording."""
    pcm = await mixed(only_in(channels - 1, channels, at(speech(RATE), -51)))
    assert SpeechGate().feed(pcm)


async def test_speakers_with_a_microphone_each_are_all_heard() -> None:
    """A speaker is as loud as alone: in turn, with a quieter second one, and together."""
    loud, quiet = speech(RATE, 1.0), speech(RATE, 1.0)[::-1] * 0.3
    turns = np.concatenate([only_in(0, 2, loud), np.zeros((3_200, 2)), only_in(1, 2, quiet)])
    pcm = await mixed(turns)
    assert likeness(pcm[:32_000], seconds=1.0) > 0.98
    second = np.frombuffer(pcm[-32_000:], "<i2") / 32_768
    assert np.corrcoef(second, quiet)[0, 1] > 0.97
    assert np.sqrt(np.mean(second**2) / np.mean(quiet**2)) == pytest.approx(1, abs=0.1)

    both = np.stack([loud, loud[::-1]], axis=1)
    heard = np.frombuffer(await mixed(both), "<i2")
    assert min(np.corrcoef(heard, voice)[0, 1] for voice in both.T) > 0.6


async def test_a_change_of_channel_does_not_click() -> None:
    """No two neighbouring samples differ by more than in the speech itself, when it moves from channel to channel."""
    tone = 0.5 * np.sin(2 * np.pi * 300 * np.arange(2 * RATE) / RATE)
    frames = np.zeros((len(tone), 4))
    for number, start in enumerate(range(0, len(tone), RATE // 4)):
        fade = np.minimum(1, np.minimum(np.arange(RATE // 4), np.arange(RATE // 4)[::-1]) / 400)
        frames[start : start + RATE // 4, number % 4] = tone[start : start + RATE // 4] * fade
    heard = np.frombuffer(await mixed(frames), "<i2") / 32_768
    assert np.abs(np.diff(heard)).max() < 1.15 * np.abs(np.diff(tone)).max()


@given(
    st.integers(2, 8),
    st.lists(st.integers(1, 700), min_size=1, max_size=5),
    st.sampled_from((8_000, 16_000, 44_100)),
)
@settings(max_examples=40, deadline=None)
def test_the_mix_does_not_depend_on_the_pieces(channels: int, sizes: list[int], rate: int) -> None:
    """It is the same, bit by bit."""
    draw = np.random.default_rng(channels)
    frames = (draw.standard_normal((rate // 4, channels)) * draw.uniform(0, 0.2, channels)).astype(np.float32)
    whole, cut = Downmix(rate, channels).mono(frames), Downmix(rate, channels)
    at_, pieces, turn = 0, [], 0
    while at_ < len(frames):
        size = sizes[turn % len(sizes)]
        pieces.append(cut.mono(frames[at_ : at_ + size]))
        at_, turn = at_ + size, turn + 1
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_no_channel_is_amplified(channels: int, seed: int) -> None:
    """A sample of the mix is never larger than all channels together."""
    draw = np.random.default_rng(seed)
    signal = draw.standard_normal((4_800, channels)) @ draw.standard_normal((channels, channels))
    frames = (signal * draw.choice((0.0, 1e-4, 1.0), channels)).astype(np.float32)
    mixed_frames = Downmix(RATE, channels).mono(frames)
    assert (np.abs(mixed_frames) <= np.abs(frames).sum(axis=1) * 1.0001 + 1e-9).all()


@pytest.mark.parametrize("channels", [2, 6])
async def test_opposite_phase_is_heard_with_any_number_of_channels(channels: int) -> None:
    """A channel that is the inverse of the others is inverted again."""
    frames = np.stack([speech(RATE) * (-1 if channel % 2 else 1) for channel in range(channels)], axis=1)
    pcm = await mixed(frames)
    assert likeness(pcm) > 0.98
    assert level_db(pcm) == pytest.approx(level_db(pcm16(speech(RATE))), abs=0.5)


def test_a_mix_waits_for_nothing() -> None:
    """Each sample of the input gives a sample of the mix at once."""
    downmix = Downmix(RATE, 6)
    assert [len(downmix.mono(np.zeros((size, 6), np.float32))) for size in (1, 319, 2, 0, 5_000)] == [
        1,
        319,
        2,
        0,
        5_000,
    ]
