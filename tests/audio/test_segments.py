"""Long sound is cut into segments in pauses, never within a word, and always in the same places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.sound import silence
from fakes.tone_words import recognize, script
from voice_core.audio.segments import FRAME_BYTES, PAUSE_FRAMES, Segment, Segmenter, cut

PCM, SAID = script(240.0)


def segments(pcm: bytes, longest_seconds: float = 60.0, piece: int = 1 << 20) -> list[Segment]:
    segmenter = Segmenter(longest_seconds)
    cut = [segment for start in range(0, len(pcm), piece) for segment in segmenter.feed(pcm[start : start + piece])]
    return [*cut, *segmenter.finish()]


@pytest.mark.parametrize("longest", [10.0, 15.0, 30.0, 60.0])
def test_no_word_is_lost_or_doubled(longest: float) -> None:
    """The words of all segments are the spoken words, at any segment length."""
    found = segments(PCM, longest)

    assert [said.text for segment in found for said in recognize(segment.pcm)] == [said.text for said in SAID]
    assert all(segment.end_ms - segment.start_ms <= longest * 1000 for segment in found)


def test_nothing_is_lost_of_the_sound() -> None:
    """The joined segments are the sound, and each has its start."""
    found = segments(PCM)

    assert b"".join(segment.pcm for segment in found) == PCM
    assert [segment.start_bytes for segment in found] == [
        sum(len(before.pcm) for before in found[:number]) for number in range(len(found))
    ]


@given(st.integers(999, 100_000))
def test_cuts_do_not_depend_on_how_the_sound_arrives(piece: int) -> None:
    """The segments are the same whatever the size of the pieces."""
    pcm = PCM[: 32_000 * 30]

    assert segments(pcm, 10.0, piece) == segments(pcm, 10.0)


def test_a_noisy_room_has_pauses_too() -> None:
    """A pause is quiet relative to the speech, not below a fixed level."""
    noise = np.random.default_rng(1).normal(0, 300, len(PCM) // 2)
    noisy = (np.frombuffer(PCM, np.int16) + noise).astype(np.int16).tobytes()

    assert [said.text for segment in segments(noisy, 15.0) for said in recognize(segment.pcm)] == [s.text for s in SAID]


@pytest.mark.parametrize("fainter_db", [20.0, 25.0, 28.0, 30.0])
def test_a_distant_speaker_is_not_a_pause(fainter_db: float) -> None:
    """No word is cut when two people take turns of half a minute, one of them far from the microphone."""
    pcm, said = script(600.0, seed=2)
    loudness = np.repeat([1.0, 10 ** (-fainter_db / 20)], 30 * 16_000)
    samples = np.frombuffer(pcm, np.int16) * np.resize(loudness, len(pcm) // 2)
    noise = np.random.default_rng(1).normal(0, 100, samples.size)
    cuts = [segment.end_ms / 1000 for segment in segments((samples + noise).astype(np.int16).tobytes())[:-1]]

    assert len(cuts) > 8
    assert not [(at, word) for at in cuts for word in said if word.start < at < word.end]


def test_the_longest_pause_is_taken() -> None:
    """The cut is in the middle of the longest pause that is not too early."""
    levels = np.full(1000, -20.0)
    for start, length in ((100, 200), (600, 40), (800, PAUSE_FRAMES)):
        levels[start : start + length] = -70.0

    assert cut(levels, 500) == 620


def test_without_a_pause_the_quietest_place_is_taken() -> None:
    """Speech without pauses is cut in the quietest place."""
    levels = np.full(1000, -20.0)
    levels[700:705] = -30.0

    assert 700 <= cut(levels, 500) <= 705


def test_the_rest_is_a_segment() -> None:
    """The rest is a segment even if it is short or silent; without sound there is none."""
    assert [len(segment.pcm) for segment in segments(silence(1.0))] == [32_000]
    assert segments(b"") == []
    assert [len(segment.pcm) for segment in segments(bytes(FRAME_BYTES // 2))] == [FRAME_BYTES // 2]
