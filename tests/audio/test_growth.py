"""Four times the input costs at most five times the work, whatever it consists of."""

import asyncio
import base64
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest

from tests.audio.sounds import chunk, decoded, encoded, pcm16, read, speech, wav
from tests.growth.factor import assert_linear
from voice_core.audio.bare_frames import first_frame
from voice_core.audio.base64_audio import decode_base64_audio
from voice_core.audio.downmix import Downmix
from voice_core.audio.limits import Limits
from voice_core.audio.pcm_layout import RawPcm
from voice_core.audio.sniff import beginning, decided
from voice_core.domain.errors import VoiceError

LIMITS = Limits(max_seconds=1_000.0)
SLICE = pcm16(speech(16_000, 0.2))
FILES = {
    "wav": wav(SLICE, RawPcm(16_000)),
    "wav with lists": wav(SLICE, RawPcm(16_000), after=chunk(b"LIST", bytes(20)) * 5),
    "wav in ADPCM": encoded("wav", "adpcm_ms", 16_000, seconds=0.2),
    "m4a": encoded("ipod", "aac", 24_000, seconds=0.2),
    "w64": encoded("w64", "pcm_s16le", 16_000, seconds=0.2),
    "aiff": encoded("aiff", "pcm_s16be", 16_000, seconds=0.2),
    "caf": encoded("caf", "pcm_s16be", 16_000, seconds=0.2),
    "amr": encoded("amr", "libopencore_amrnb", 8_000, seconds=0.2),
}


@pytest.mark.parametrize("name", FILES)
def test_joined_files(name: str) -> None:
    """Any number of files after one another, complete or without their end."""

    def work(count: int) -> Callable[[], object]:
        file = FILES[name] * count
        if name.startswith("wav") and "ADPCM" not in name:
            return lambda: asyncio.run(decoded(file, limits=LIMITS))
        return lambda: read(file, LIMITS)

    assert_linear(work, 16)


@pytest.mark.parametrize("parameter", [";a=b", ",", ';a="', ";codecs=vp8,opus", ";base64"])
@pytest.mark.parametrize("ending", [";base64,AAAA", ",%41%42", ""])
def test_parameters_of_a_data_url(parameter: str, ending: str) -> None:
    """Any number of parameters and commas before the data, recognised or refused."""

    def work(count: int) -> Callable[[], object]:
        text = "data:audio/webm" + parameter * count + ending

        def decode() -> None:
            with suppress(VoiceError):
                decode_base64_audio(text)

        return decode

    assert_linear(work, 50)
    assert_linear(work, 50_000)


@pytest.mark.parametrize("form", ["base64", "encoded base64", "percent", "stray percent"])
def test_data_of_a_data_url(form: str) -> None:
    """Any length of data, in each form."""

    def work(count: int) -> Callable[[], object]:
        data = bytes(range(256)) * count
        text = {
            "base64": "data:;base64," + base64.b64encode(data).decode(),
            "encoded base64": "data:;base64," + base64.b64encode(data).decode().replace("A", "%41"),
            "percent": "data:," + "".join(f"%{byte:02x}" for byte in data),
            "stray percent": "data:," + "%41" * len(data) + "%",
        }[form]

        def decode() -> None:
            with suppress(VoiceError):
                decode_base64_audio(text)

        return decode

    assert_linear(work, 200)


@pytest.mark.parametrize("junk", [b"\0", b"\xff", b"V\xe0", b"\xff\xfb\x90\x00", b"\xff\xf1\x50\x80\x02\x00"])
def test_bytes_before_a_frame(junk: bytes) -> None:
    """Any number of bytes before the first frame, sync words included."""
    stream = encoded("mp3", "libmp3lame", 24_000, seconds=0.3, options={"id3v2_version": "0"})

    def work(count: int) -> Callable[[], object]:
        head = junk * (count // len(junk)) + stream
        return lambda: (beginning(head), decided(head, searched=True), first_frame(head[:count]))

    assert_linear(work, 2_000)


def test_channels_and_seconds() -> None:
    """Any number of channels, and any length."""

    def work_channels(count: int) -> Callable[[], object]:
        frames = np.ones((16_000, count), np.float32)
        return lambda: Downmix(16_000, count).mono(frames)

    def work_seconds(count: int) -> Callable[[], object]:
        frames = np.ones((count * 4_000, 2), np.float32)
        return lambda: Downmix(16_000, 2).mono(frames)

    assert_linear(work_channels, 2)
    assert_linear(work_seconds, 4)
