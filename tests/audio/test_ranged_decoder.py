"""Recordings that are read in pieces: the same sound as read at once, and never all in memory."""

import io
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import pytest
from av.container import OutputContainer

from fakes.sound import voice_like
from voice_core.audio import wav
from voice_core.audio.ffmpeg import decode
from voice_core.audio.limits import DecodingDeadline, Limits
from voice_core.audio.ranged_decoder import READ_BYTES, LargeSound
from voice_core.audio.ranged_file import BLOCK_BYTES, BLOCKS, RangedFile
from voice_core.domain.errors import InvalidAudio, StageFailed, TooLarge, VoiceError

LIMITS = Limits(max_bytes=100_000_000, max_seconds=1000.0)
PCM = voice_like(3.0)


def encoded(codec: str, container: str, pcm: bytes = PCM, rate: int = 16_000, **options: str) -> bytes:
    """*pcm* in a container, as a recorder would write it."""
    # A file instead of a buffer: to put the index first FFmpeg opens it a second time.
    with TemporaryDirectory() as folder:
        file = Path(folder, "recording")
        with av.open(str(file), "w", format=container, container_options=options) as opened:
            _encode(opened, codec, pcm, rate)
        return file.read_bytes()


def _encode(opened: OutputContainer, codec: str, pcm: bytes, rate: int) -> None:
    stream = opened.add_stream(codec, rate=rate, layout="mono")
    assert isinstance(stream, av.AudioStream)
    for start in range(0, len(pcm), 2048):
        samples = np.frombuffer(pcm[start : start + 2048], "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 16_000
        opened.mux(stream.encode(frame))
    opened.mux(stream.encode(None))


FILES: dict[str, Callable[[], bytes]] = {
    "m4a": lambda: encoded("aac", "ipod"),
    "m4a, its index first": lambda: encoded("aac", "ipod", movflags="faststart"),
    "m4a in fragments": lambda: encoded("aac", "ipod", movflags="frag_keyframe+empty_moov", frag_duration="500000"),
    "mp3": lambda: encoded("libmp3lame", "mp3"),
    "mp3 with a tag": lambda: b"ID3\4\0\0\0\0\1\0" + bytes(128) + encoded("libmp3lame", "mp3", write_id3v2="0"),
    "ogg": lambda: encoded("libopus", "ogg"),
    "webm": lambda: encoded("libopus", "webm"),
    "flac": lambda: encoded("flac", "flac"),
    "aac": lambda: encoded("aac", "adts"),
    "aiff": lambda: encoded("pcm_s16be", "aiff"),
    "wav in ADPCM": lambda: encoded("adpcm_ms", "wav"),
}


class Source:
    """A recording, and the size of the largest read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.most = 0

    async def read(self, start: int, count: int) -> bytes:
        assert start >= 0
        assert start + count <= len(self.data)
        self.most = max(self.most, count)
        return self.data[start : start + count]

    def sound(self, limits: Limits = LIMITS) -> LargeSound:
        return LargeSound(len(self.data), self.read, limits)


async def heard(sound: LargeSound) -> bytes:
    return b"".join([pcm async for pcm in sound.pcm()])


@pytest.mark.parametrize("name", FILES)
async def test_a_container_gives_the_sound_it_gives_when_read_whole(name: str) -> None:
    """The sound is the same, byte for byte, wherever the index is."""
    data = FILES[name]()

    assert await heard(Source(data).sound()) == b"".join(decode(data, LIMITS, DecodingDeadline(10)))


async def test_wav_is_read_in_pieces() -> None:
    """A WAV of 70 s at 48 kHz is read a piece at a time, and its length is known from the header."""
    source = Source(wav.whole(bytes(2 * 48_000 * 70), 48_000))
    sound = source.sound()

    assert len(await heard(sound)) == pytest.approx(2 * 16_000 * 70, abs=100)
    assert source.most == READ_BYTES
    assert sound.seconds == 70.0


async def test_a_containers_length_is_known_when_it_says_it() -> None:
    """The length is known if there is an index; a stream without one has no length."""
    indexed, streamed = Source(FILES["m4a"]()).sound(), Source(FILES["webm"]()).sound()
    await heard(indexed)
    await heard(streamed)

    assert indexed.seconds == pytest.approx(3.0, abs=0.1)
    assert streamed.seconds is None


async def test_closing_the_sound_stops_the_decoder() -> None:
    """A recording whose sound is closed early is not read to its end."""
    source = Source(encoded("flac", "flac", voice_like(60.0)))
    sound = source.sound().pcm()
    await anext(sound)
    await sound.aclose()


@pytest.mark.parametrize(("codec", "container"), [("pcm_s16le", "matroska"), ("pcm_s16be", "aiff"), ("flac", "flac")])
async def test_an_error_of_storage_is_passed_on(codec: str, container: str) -> None:
    """When the second block cannot be read, decoding ends with that error; FFmpeg does not ask again for ever."""
    data = encoded(codec, container, voice_like(150.0))

    async def first_block_only(start: int, count: int) -> bytes:
        if start >= BLOCK_BYTES:
            raise StageFailed("Away.", stage="storage")
        return data[start : start + count]

    assert len(data) > BLOCK_BYTES
    with pytest.raises(StageFailed):
        await heard(LargeSound(len(data), first_block_only, LIMITS))


@pytest.mark.parametrize(
    ("data", "limits", "code"),
    [
        (b"", LIMITS, "audio-empty"),
        (b"no recording at all" * 10, LIMITS, "audio-format-unknown"),
        (encoded("aac", "ipod")[:-400], LIMITS, "audio-truncated"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", LIMITS, "audio-unreadable"),
        (b"OggS" + bytes(5000), LIMITS, "audio-unreadable"),
        (encoded("aac", "ipod"), Limits(max_bytes=10_000_000, max_seconds=2.0), "audio-too-long"),
        (encoded("libopus", "ogg"), Limits(max_bytes=10_000_000, max_seconds=2.0), "audio-too-long"),
        (wav.whole(PCM, 16_000), Limits(max_bytes=10_000_000, max_seconds=2.0), "audio-too-long"),
        (wav.whole(PCM, 16_000), Limits(max_bytes=1000, max_seconds=20.0), "audio-too-large"),
    ],
)
async def test_what_cannot_be_decoded_is_typed(data: bytes, limits: Limits, code: str) -> None:
    """The error's code is the reason."""
    with pytest.raises(VoiceError) as wrong:
        await heard(Source(data).sound(limits))

    assert wrong.value.code == code
    assert isinstance(wrong.value, InvalidAudio | TooLarge) or code == "audio-format-unknown"


def test_a_ranged_file_is_a_file() -> None:
    """Reading and seeking work as with a file of the same bytes."""
    data = bytes(range(256)) * 20_000
    file, same = RangedFile(len(data), lambda start, count: data[start : start + count]), io.BytesIO(data)
    for offset, whence, count in (
        (0, 0, 10),
        (-5, 2, 10),
        (100, 0, 3 * BLOCK_BYTES),
        (-50, 1, 60),
        (0, 2, 1),
        (7, 0, -1),
    ):
        assert file.seek(offset, whence) == same.seek(offset, whence)
        assert file.read(count) == same.read(count)
        assert file.seek(0, io.SEEK_CUR) == same.seek(0, io.SEEK_CUR)


def test_a_ranged_file_keeps_a_few_blocks() -> None:
    """Recent blocks are not fetched again, older ones are."""
    fetched: list[int] = []

    def fetch(start: int, count: int) -> bytes:
        fetched.append(start // BLOCK_BYTES)
        return bytes(count)

    file = RangedFile((BLOCKS + 2) * BLOCK_BYTES, fetch)
    for number in (0, 0, *range(BLOCKS + 1), 0):
        file.seek(number * BLOCK_BYTES)
        file.read(10)

    assert fetched == [*range(BLOCKS + 1), 0]
