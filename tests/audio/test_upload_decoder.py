import asyncio
import struct
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.eventually import HANG_SECONDS, eventually
from tests.audio.sounds import channels_of, decoded, encoded, likeness, pcm16, pieces, samples, speech, wav
from voice_core.audio import ffmpeg, in_process
from voice_core.audio.in_process import InProcessDecoder
from voice_core.audio.sniff import sniff
from voice_core.audio.upload_decoder import SLICE_BYTES, Decoding, Limits, RawPcm
from voice_core.domain.errors import Busy, InvalidAudio, TooLarge, UnsupportedFormat, VoiceError


async def test_sound_comes_out_while_it_goes_in() -> None:
    """Each 20 ms of a WAV are decoded before the next have arrived."""
    file = wav(samples(speech(48_000), "s16le"), RawPcm(48_000), size=0xFFFFFFFF)
    uploaded = asyncio.Queue[bytes]()
    async with aclosing(Decoding(None, Limits()).pcm(_queued(uploaded))) as sound:
        uploaded.put_nowait(file[:44])
        for start in range(44, 44 + 1920 * 5, 1920):
            uploaded.put_nowait(file[start : start + 1920])
            assert len(await asyncio.wait_for(anext(sound), HANG_SECONDS)) > 500
            assert uploaded.empty()


async def test_no_more_than_ten_milliseconds_are_held_back() -> None:
    """Shorter pieces are joined, and decoded once they have this length."""
    uploaded = asyncio.Queue[bytes]()
    async with aclosing(Decoding(RawPcm(16_000), Limits()).pcm(_queued(uploaded))) as sound:
        uploaded.put_nowait(bytes(320))
        assert len(await asyncio.wait_for(anext(sound), HANG_SECONDS)) == 320
        for _ in range(5):
            uploaded.put_nowait(bytes(64))
        assert len(await asyncio.wait_for(anext(sound), HANG_SECONDS)) == 320
        assert uploaded.empty()


@pytest.mark.parametrize("size", [1, 7, 50])
@pytest.mark.parametrize("layout", [RawPcm(16_000), RawPcm(24_000), RawPcm(48_000, 2, "f32le")])
async def test_tiny_pieces_are_converted_together(size: int, layout: RawPcm) -> None:
    """The number of conversions depends on the length of the sound, not on the number of pieces; nor do the samples."""
    seconds = 0.5
    file = wav(samples(channels_of(speech(layout.rate, seconds), layout.channels), layout.encoding), layout)
    heard = [pcm async for pcm in Decoding(None, Limits()).pcm(pieces(file, size))]
    assert len(heard) <= seconds * 100 + 2
    assert b"".join(heard) == await decoded(file, len(file))


async def turns_of_others(work: Coroutine[Any, Any, object]) -> int:
    """Number of times that another task runs until *work* is done."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    await work
    other.cancel()
    return turns


@pytest.mark.parametrize("size", [1, 7, 4_096])
async def test_others_get_their_turn_while_pieces_come_without_a_pause(size: int) -> None:
    """An upload that is always ready, in pieces of any size, does not block other tasks."""
    file = wav(pcm16(speech(48_000, 1.2)) * (10 if size == 4_096 else 1), RawPcm(48_000))

    turns = await turns_of_others(decoded(file, size))

    assert turns >= len(file) // SLICE_BYTES


@pytest.mark.parametrize(
    ("raw", "made"),
    [
        (RawPcm(), RawPcm()),
        (RawPcm(16_000), RawPcm(16_000)),
        (RawPcm(8_000, 1, "mulaw"), RawPcm(8_000, 1, "mulaw")),
        (RawPcm(44_100, 1, "f32le"), RawPcm(44_100, 1, "f32le")),
        (RawPcm(48_000, 1, "s16be"), RawPcm(48_000, 1, "s16be")),
    ],
)
async def test_declared_pcm_is_heard_as_declared(raw: RawPcm, made: RawPcm) -> None:
    """Bytes in no container are decoded as the caller declares them."""
    assert likeness(await decoded(samples(speech(made.rate), made.encoding), raw=raw)) > 0.98


@pytest.mark.parametrize("container", ["wav", "ogg"])
async def test_a_container_overrides_declared_pcm(container: str) -> None:
    """A file that is declared as raw PCM is decoded by its real format."""
    file = wav(pcm16(speech(16_000)), RawPcm(16_000)) if container == "wav" else encoded("ogg", "libopus", 48_000)
    decoding = Decoding(RawPcm(), Limits())
    pcm = b"".join([piece async for piece in decoding.pcm(pieces(file, 100))])
    assert decoding.format == container
    assert likeness(pcm) > 0.98


@given(st.binary(min_size=2, max_size=400).filter(lambda data: sniff(data) is None))
@settings(max_examples=60, deadline=None)
def test_unknown_bytes_are_refused_unless_declared(data: bytes) -> None:
    """Unknown bytes are a typed error, or PCM if declared."""
    with pytest.raises(UnsupportedFormat) as refused:
        asyncio.run(decoded(data))
    assert refused.value.code == "audio-format-unknown"
    assert "webm" in refused.value.detail
    assert len(asyncio.run(decoded(data, raw=RawPcm(16_000)))) == len(data) // 2 * 2


@pytest.mark.parametrize("data", [b"", wav(b"", RawPcm()), b"\0\0\0\x1cftyp3gp4\0\0\0\0isom3gp4mp42"])
@pytest.mark.parametrize("raw", [None, RawPcm()])
async def test_nothing_is_empty(data: bytes, raw: RawPcm | None) -> None:
    """No bytes, a header without samples and a recording that was stopped at once are empty, not unreadable."""
    with pytest.raises(InvalidAudio) as refused:
        await decoded(data, raw=raw)
    assert refused.value.code == "audio-empty"


async def test_half_a_sample_is_empty() -> None:
    """A recording of one byte is empty."""
    with pytest.raises(InvalidAudio) as refused:
        await decoded(b"\x01", raw=RawPcm())
    assert refused.value.code == "audio-empty"


@pytest.mark.parametrize("size", [1_000, 100_000])
async def test_too_many_bytes_are_refused_while_they_arrive(size: int) -> None:
    """The upload is not read further than the limit."""
    taken = 0

    async def upload() -> AsyncGenerator[bytes]:
        nonlocal taken
        while True:
            taken += size
            yield bytes(size)

    decoding = Decoding(RawPcm(48_000, 2), Limits(max_bytes=50_000))
    with pytest.raises(TooLarge) as refused:
        assert [pcm async for pcm in decoding.pcm(upload())]
    assert refused.value.code == "audio-too-large"
    assert "/clips" in refused.value.detail
    assert taken <= 50_000 + size


async def test_a_header_that_announces_too_much_is_refused_at_once() -> None:
    """A WAV that announces more than the limit is refused before any of it is decoded."""
    for limits, code in ((Limits(max_seconds=1), "audio-too-long"), (Limits(max_bytes=20_000), "audio-too-large")):
        decoding = Decoding(None, limits)
        with pytest.raises(TooLarge) as refused:
            await anext(decoding.pcm(pieces(wav(bytes(120_000), RawPcm()), 1000)))
        assert (refused.value.code, decoding.bytes_in) == (code, 1000)


async def test_more_seconds_than_allowed_are_refused_as_they_pass() -> None:
    """A stream of unknown length is decoded up to the limit and not beyond."""
    decoding = Decoding(RawPcm(16_000), Limits(max_seconds=1))
    with pytest.raises(TooLarge) as refused:
        assert [pcm async for pcm in decoding.pcm(pieces(bytes(64_000), 640))]
    assert refused.value.code == "audio-too-long"
    assert 32_000 <= decoding.bytes_in <= 41_000


async def test_the_longest_recording_passes() -> None:
    """A recording of exactly the limit, with the padding of codecs, is accepted."""
    file = encoded("ipod", "aac", 24_000)
    assert await decoded(file, limits=Limits(max_seconds=1.2))


async def test_others_get_their_turn_while_much_is_converted() -> None:
    """A minute of WAV that arrives in one piece is converted in slices, so that other tasks run in between."""
    pcm = pcm16(speech(48_000, 1.2)) * 30
    file = wav(pcm, RawPcm(48_000))

    assert await turns_of_others(decoded(file, len(file))) >= len(pcm) // SLICE_BYTES


class HeldExecutor(ThreadPoolExecutor):
    """Threads that begin their work when `released` is set; `entered` is set when there is work."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.released = threading.Event(), threading.Event()

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        def held() -> Any:
            self.entered.set()
            assert self.released.wait(HANG_SECONDS)
            return work(*args, **kwargs)

        return super().submit(held)


async def test_others_get_their_turn_while_a_container_is_decoded() -> None:
    """In this process FFmpeg decodes in a thread: other tasks run while it does, however long it takes."""
    threads = HeldExecutor()
    file = encoded("flac", "flac", 48_000, seconds=6)
    decoding = asyncio.create_task(decoded(file, len(file), containers=InProcessDecoder(threads)))
    await eventually(lambda: threads.entered.is_set() or decoding.done())

    assert not decoding.done()
    threads.released.set()
    assert await decoding


async def test_without_a_free_thread_an_upload_can_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, waiting for other recordings does not count as decoding: it is no fault of the recording."""
    monkeypatch.setattr(in_process, "WAIT_SECONDS", 0.01)
    threads = HeldExecutor()
    file = encoded("flac", "flac", 48_000)
    decoder = InProcessDecoder(threads)
    first = asyncio.create_task(decoded(file, containers=InProcessDecoder(threads)))
    await eventually(threads.entered.is_set)
    with pytest.raises(Busy) as error:
        await decoded(file, containers=decoder)
    assert error.value.retry_after
    first.cancel()
    await asyncio.wait([first])
    threads.released.set()


async def test_a_file_is_not_closed_while_a_thread_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clip that is cancelled while FFmpeg waits for storage is closed when FFmpeg has returned."""
    data = encoded("matroska", "pcm_s16le", 48_000, seconds=30)
    requested, served, closed = asyncio.Event(), asyncio.Event(), threading.Event()
    reading: list[bool] = []
    close = ffmpeg.Sound.close

    def closing(sound: ffmpeg.Sound) -> None:
        reading.append(not served.is_set())
        close(sound)
        closed.set()

    async def read_range(start: int, count: int) -> bytes:
        if start:
            requested.set()
            await served.wait()
        return data[start : start + count]

    async def listen() -> None:
        async for _ in InProcessDecoder().ranged(len(data), read_range, Limits(), lambda _: None):
            pass

    monkeypatch.setattr(ffmpeg.Sound, "close", closing)
    listening = asyncio.create_task(listen())
    await asyncio.wait_for(requested.wait(), HANG_SECONDS)
    listening.cancel()
    await asyncio.wait([listening])
    assert not closed.is_set()
    served.set()
    await eventually(closed.is_set)
    assert reading == [False]


async def test_a_decoder_that_hangs_is_abandoned() -> None:
    """The caller gets the error in time, whatever the decoder does."""
    for seconds in (-0.1, -1.0):
        with pytest.raises(InvalidAudio, match="too long"):
            await decoded(encoded("ogg", "libopus", 48_000), limits=Limits(decode_seconds=seconds))


async def test_a_listener_who_goes_away_frees_the_decoder(capfd: pytest.CaptureFixture[str]) -> None:
    """A cancelled turn releases its thread with hours left to decode, and logs nothing."""
    amr = encoded("amr", "libopencore_amrnb", 8_000)
    hours = amr + amr[6:] * 40_000
    loop, started = asyncio.get_running_loop(), asyncio.Event()
    only = ThreadPoolExecutor(max_workers=1, initializer=lambda: loop.call_soon_threadsafe(started.set))
    limits = Limits(max_bytes=10**9, max_seconds=1e9, decode_seconds=1e6)
    listening = asyncio.create_task(decoded(hours, len(hours), limits=limits, containers=InProcessDecoder(only)))
    await asyncio.wait_for(started.wait(), HANG_SECONDS)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    await asyncio.wait_for(loop.run_in_executor(only, int), HANG_SECONDS)
    assert capfd.readouterr() == ("", "")


async def test_closing_early_stops_reading() -> None:
    """When the sound is closed early, the upload is closed at once."""
    closed = False

    async def upload() -> AsyncGenerator[bytes]:
        nonlocal closed
        try:
            while True:
                yield bytes(3200)
        finally:
            closed = True

    source = upload()
    async with aclosing(source), aclosing(Decoding(RawPcm(16_000), Limits()).pcm(source)) as sound:
        await anext(sound)
    assert closed


async def test_an_unknown_codec_in_wav_is_refused() -> None:
    """A WAV with a codec that is not supported is refused as such."""
    file = bytearray(wav(bytes(2000), RawPcm()))
    file[20:22] = struct.pack("<H", 0x1234)
    with pytest.raises(UnsupportedFormat) as refused:
        await decoded(bytes(file))
    assert refused.value.code == "audio-format-unsupported"


@given(data=st.data(), size=st.integers(1, 3000))
@settings(max_examples=60, deadline=None)
def test_damaged_wavs_never_crash(data: st.DataObject, size: int) -> None:
    """A WAV with any bytes changed gives sound or a typed error, in pieces of any size."""
    file = bytearray(wav(samples(speech(8_000, 0.2), "s16le"), RawPcm(8_000)))
    for _ in range(data.draw(st.integers(1, 8))):
        file[data.draw(st.integers(0, 60))] = data.draw(st.integers(0, 255))
    try:
        assert len(asyncio.run(decoded(bytes(file), size))) % 2 == 0
    except VoiceError as refused:
        assert refused.detail  # noqa: PT017 - either outcome is right


async def _queued(uploaded: asyncio.Queue[bytes]) -> AsyncGenerator[bytes]:
    while True:
        yield await uploaded.get()
