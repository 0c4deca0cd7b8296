import io

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audio.sounds import decoded, likeness, pcm16, speech
from voice_core.audio.encoding import ENCODERS, encoder
from voice_core.audio.pcm_layout import RawPcm
from voice_core.domain.errors import UnsupportedFormat

PCM = pcm16(speech(24_000))


def encoded(name: str, size: int = 960) -> bytes:
    encoding = encoder(name)
    return b"".join([*(encoding.feed(PCM[at : at + size]) for at in range(0, len(PCM), size)), encoding.finish()])


@pytest.mark.parametrize("name", ENCODERS)
async def test_what_goes_out_is_what_was_spoken(name: str) -> None:
    """Each format is read back as the same sound."""
    heard = await decoded(encoded(name), raw=RawPcm() if name == "pcm" else None)
    assert likeness(heard) > 0.98
    assert abs(len(heard) / 32_000 - 1.2) < 0.1


@pytest.mark.parametrize("name", ENCODERS)
def test_sound_goes_out_while_it_comes_in(name: str) -> None:
    """The first half second is encoded before the end of the speech."""
    encoding = encoder(name)
    sent = b"".join(encoding.feed(PCM[at : at + 960]) for at in range(0, 24_000, 960))
    assert len(sent) > len(encoded(name)) / 4


@pytest.mark.parametrize("name", ENCODERS)
@given(size=st.integers(1, 5000).map(lambda half: 2 * half))
@settings(max_examples=8, deadline=None)
def test_pieces_do_not_matter_to_the_file(name: str, size: int) -> None:
    """The file's sound is the same whatever the size of the pieces."""
    assert np.array_equal(_samples(encoded(name, size)), _samples(encoded(name))) or name == "pcm"


@pytest.mark.parametrize("name", ENCODERS)
def test_no_speech_is_a_file_all_the_same(name: str) -> None:
    """A turn without speech gives an empty file."""
    encoding = encoder(name)
    assert isinstance(encoding.feed(b"") + encoding.finish(), bytes)


@pytest.mark.parametrize("name", ["wav", "mp3", "opus"])
def test_compressed_speech_is_small(name: str) -> None:
    """MP3 takes 8 kB a second, Opus about 5."""
    assert len(encoded(name)) / 1.2 < {"wav": 48_100, "mp3": 8_600, "opus": 6_500}[name]


def test_other_formats_are_refused() -> None:
    """An unknown format is a typed error that names the known ones."""
    with pytest.raises(UnsupportedFormat, match="opus"):
        encoder("aiff")


def _samples(file: bytes) -> bytes:
    if file[:4] not in (b"RIFF", b"OggS") and file[:1] != b"\xff":
        return file
    with av.open(io.BytesIO(file), "r") as container:
        return b"".join(frame.to_ndarray().tobytes() for frame in container.decode(audio=0))
