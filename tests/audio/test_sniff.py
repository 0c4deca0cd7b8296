import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.sounds import encoded, pcm16, samples, speech, wav
from voice_core.audio.containers.tags import id3_bytes
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.sniff import FRAMES_BYTES, decided, sniff

ID3 = b"ID3\x04\x00\x00\x00\x00\x10\x00" + bytes(2048)
MADE = {
    "m4a": ("ipod", "aac", 24000),
    "mp4": ("mp4", "aac", 24000),
    "mov": ("mov", "aac", 24000),
    "3gp": ("3gp", "aac", 24000),
    "caf": ("caf", "pcm_s16be", 24000),
    "aiff": ("aiff", "pcm_s16be", 24000),
    "au": ("au", "pcm_mulaw", 8000),
    "w64": ("w64", "pcm_s16le", 24000),
    "webm": ("webm", "libopus", 48000),
    "mkv": ("matroska", "aac", 48000),
    "ogg": ("ogg", "libopus", 48000),
    "flac": ("flac", "flac", 24000),
    "mp3": ("mp3", "libmp3lame", 24000),
    "aac": ("adts", "aac", 24000),
    "latm": ("latm", "aac", 24000),
    "amr": ("amr", "libopencore_amrnb", 8000),
}


@pytest.mark.parametrize("name", MADE)
def test_every_container_is_known_by_its_bytes(name: str) -> None:
    """A container is recognised by its first bytes, and more bytes change nothing."""
    container, codec, rate = MADE[name]
    file = encoded(container, codec, rate, seconds=0.5)
    head = next(file[:size] for size in range(1, len(file)) if decided(file[:size]))
    assert len(head) <= FRAMES_BYTES
    assert {sniff(head), sniff(file)} == {name}


@pytest.mark.parametrize("name", ["mp3", "aac", "flac"])
def test_an_id3_tag_hides_nothing(name: str) -> None:
    """The bytes after an ID3 tag decide on the format."""
    container, codec, rate = MADE[name]
    file = encoded(container, codec, rate, seconds=0.2)
    tag = b"" if file.startswith(b"ID3") else ID3
    assert sniff(tag + file) == name


def test_an_id3_tag_alone_is_taken_for_mp3() -> None:
    """While the tag has not arrived, the guess is MP3; the size of the tag is known from ten bytes."""
    assert not decided(ID3)
    assert sniff(ID3[:100]) == "mp3"
    assert id3_bytes(ID3) == len(ID3)
    assert id3_bytes(b"ID3\x04\x00\x10\x00\x00\x00\x01") == 21
    assert id3_bytes(b"RIFF") == 0


def test_incomplete_and_countless_tags_are_read_quickly() -> None:
    """Half a tag, or a million tags, take little time."""
    assert [sniff(ID3[:size]) for size in range(3, 12)] == ["mp3"] * 9
    assert sniff(b"ID3\x04\0\0\0\0\0\0" * 1_000_000) == "mp3"


@pytest.mark.parametrize("magic", [b"RIFF", b"RIFX", b"RF64", b"BW64"])
def test_all_kinds_of_riff_are_wav(magic: bytes) -> None:
    """Long and broadcast WAVs are WAVs; other RIFF files are not."""
    file = wav(samples(speech(8000), "s16le"), RawPcm(8000))
    assert sniff(magic + file[4:]) == "wav"
    assert sniff(magic + file[4:8] + b"AVI " + file[12:]) is None


def test_all_layers_of_mpeg_audio_are_recognised() -> None:
    """Frames of layers I and II count as MPEG audio, with their own lengths."""
    layer_1 = b"\xff\xff\x14\x00" + bytes(12 * 32_000 // 48_000 * 4 - 4)
    layer_2 = b"\xff\xfd\x14\x00" + bytes(144 * 32_000 // 48_000 - 4)
    assert sniff(layer_1 * 3) == "mp3"
    assert sniff(layer_2 * 3) == "mp3"
    assert sniff(layer_2 * 2 + layer_2[:9]) is None


def test_a_single_frame_that_is_the_whole_file_is_enough() -> None:
    """A file of one or two frames is recognised if the frames end at its end."""
    file = encoded("adts", "aac", 24000, seconds=0.02)
    assert sniff(file) == "aac"
    assert sniff(file[:-1]) is None


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_pcm_that_begins_like_a_frame_is_no_frame(rest: bytes) -> None:
    """A sync word at the start of raw PCM is not enough to take it for MP3 or AAC."""
    for sync in (b"\xff\xfb\x90\x00", b"\xff\xf1\x50\x80\x01\x1f", b"\x56\xe0\x20"):
        assert sniff(sync + rest + bytes(600)) is None


def test_speech_is_no_container() -> None:
    """Raw PCM is recognised at once as no container."""
    pcm = pcm16(speech(24000))
    assert decided(pcm[:64])
    assert sniff(pcm) is None
    assert not decided(pcm[:63])


def test_sniffing_costs_no_heavy_import() -> None:
    """Modules that only inspect bytes and text load neither numpy nor FFmpeg."""
    names = ("sniff", "base64_audio", "wav", "pcm_layout", "limits", "containers.mp4_boxes", "repair")
    code = ";".join(f"import voice_core.audio.{name}" for name in names)
    code += ";import sys;sys.exit('numpy' in sys.modules or 'av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own interpreter
