import io
import struct
from contextlib import suppress
from resource import RUSAGE_SELF, getrusage

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.sounds import encoded, read
from voice_core.audio.containers.tags import defaced
from voice_core.audio.limits import Limits
from voice_core.domain.errors import InvalidAudio, TooLarge, UnsupportedFormat


def test_hours_in_a_small_file_are_not_decoded() -> None:
    """Decoding of a small file with much silence ends at the longest length."""
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as output:
        stream = output.add_stream("flac", rate=8_000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        for _ in range(30):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 80_000), np.int16), format="s16", layout="mono")
            frame.sample_rate = 8_000
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert len(file.getvalue()) < 100_000
    with pytest.raises(TooLarge) as refused:
        read(file.getvalue(), Limits(max_seconds=5))
    assert refused.value.code == "audio-too-long"
    assert "/clips" in refused.value.detail


def test_the_deadline_ends_decoding() -> None:
    """After the deadline, the next read of the file gives up."""
    with pytest.raises(InvalidAudio, match="too long"):
        read(encoded("ogg", "libopus", 48_000), seconds=-1)


@pytest.mark.parametrize(
    ("table", "numbers"),
    [(b"stsz", (1, 2**27)), (b"stsz", (0, 2**31)), (b"elst", (100_000,)), (b"cmov", ())],
    ids=["constant size", "table of sizes", "edits", "packed index"],
)
def test_an_index_of_millions_of_samples_is_not_built(table: bytes, numbers: tuple[int, ...]) -> None:
    """An index of a few bytes cannot allocate gigabytes."""
    file = encoded("mp4", "aac", 24_000)
    box = struct.pack(f">I4sI{len(numbers)}I", 12 + 4 * len(numbers), table, 0, *numbers)
    with pytest.raises(InvalidAudio, match="index"):
        read(file + box + bytes(8))


def test_too_many_tables_are_no_index() -> None:
    """An index with too many tables is refused."""
    with pytest.raises(InvalidAudio, match="index"):
        read(encoded("mp4", "aac", 24_000) + b"\0\0\0\x10stts\0\0\0\0\0\0\0\0" * 30_000)


def test_tags_are_not_inflated() -> None:
    """The frames of a tag, which may be compressed a thousandfold, are never read or decoded, wherever it is."""
    tag = b"ID3\x04\0\0" + bytes((0, 0, 1, 0)) + bytes(128)
    aiff = encoded("aiff", "pcm_s16be", 16_000)
    tagged = aiff + b"ID3 " + struct.pack(">I", len(tag)) + tag
    assert b"ID3\x04" not in defaced(tagged, "aiff")
    assert read(tagged) == read(aiff)
    aac = encoded("adts", "aac", 24_000)
    assert len(read(tag * 20 + aac + tag + aac)) >= 2 * len(read(aac)) - 6_000


def test_a_list_gets_no_more_room_than_it_needs() -> None:
    """A WAV whose list claims a gigabyte takes no more memory than any other."""
    file = encoded("wav", "adpcm_ms", 16_000)
    listed = file + b"LIST" + struct.pack("<I", 0x7FFF_FF00) + b"INFOISFT" + struct.pack("<I", 0x4000_0000)
    before = getrusage(RUSAGE_SELF).ru_maxrss
    assert read(listed) == read(file)
    assert getrusage(RUSAGE_SELF).ru_maxrss < 2 * before


def test_codecs_outside_the_allow_list_are_not_decoded() -> None:
    """FFmpeg has hundreds of codecs; only those of the allow list are used."""
    with pytest.raises(UnsupportedFormat) as refused:
        read(encoded("matroska", "wavpack", 44_100))
    assert refused.value.code == "audio-format-unsupported"


def test_too_many_channels_are_refused() -> None:
    """Nine channels are refused."""
    file = bytearray(encoded("au", "pcm_s16be", 24_000))
    file[20:24] = struct.pack(">I", 9)
    with pytest.raises(UnsupportedFormat):
        read(bytes(file))


def test_ffmpeg_keeps_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """Damage is reported to the caller, not to the log."""
    with pytest.raises(InvalidAudio):
        read(encoded("ogg", "libopus", 48_000)[:300] + b"\x55" * 5000)
    with pytest.raises(InvalidAudio):
        read(encoded("webm", "libopus", 48_000), seconds=-1)
    assert capfd.readouterr() == ("", "")


MUTATED = [
    encoded(container, codec, rate, seconds=0.2)
    for container, codec, rate in (
        ("ipod", "aac", 48_000),
        ("webm", "libopus", 48_000),
        ("ogg", "libopus", 48_000),
        ("mp3", "libmp3lame", 48_000),
        ("flac", "flac", 48_000),
        ("adts", "aac", 48_000),
        ("caf", "pcm_s16be", 8_000),
        ("aiff", "pcm_s16be", 8_000),
        ("wav", "adpcm_ms", 8_000),
    )
]


@given(data=st.data(), file=st.sampled_from(MUTATED))
@settings(max_examples=300, deadline=None)
def test_any_damage_is_heard_or_refused(data: st.DataObject, file: bytes) -> None:
    """Changed, lost, doubled and cut bytes give sound or a typed error."""
    damaged = bytearray(file)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(4, max(4, min(len(damaged) - 1, 600))))
        patch = data.draw(st.binary(max_size=8))
        damaged[at : at + data.draw(st.integers(0, 8))] = patch
    with suppress(InvalidAudio, UnsupportedFormat):
        assert len(read(bytes(damaged))) % 2 == 0
