"""Recordings are decoded in processes of their own, which may fail without any other consequence."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress

import pytest

from fakes.eventually import HANG_SECONDS, eventually
from tests.audio.decoder_process.conftest import Events
from tests.audio.decoder_process.recordings import FILES, Upload, children_of, decoded, endless_work, environment_of
from tests.audio.sounds import encoded, read
from voice_core.audio.decoder_process import decoder_server
from voice_core.audio.decoder_process.decoder_frames import DATA, PCM, REFUSED, Job
from voice_core.audio.decoder_process.decoder_server import DecoderServer
from voice_core.audio.decoder_process.pool import SPARE_PROCESSES, DecoderPool
from voice_core.audio.decoder_process.user_decoder import UserDecoder
from voice_core.audio.limits import Limits
from voice_core.audio.ranged_decoder import LargeSound
from voice_core.audio.upload_decoder import Decoding
from voice_core.domain.audio import RECOGNITION_RATE, seconds
from voice_core.domain.errors import Busy, InvalidAudio, TooLarge, UnsupportedFormat


async def server_of(pool: DecoderPool) -> DecoderServer:
    """The running server of *pool*, with its spare processes."""
    await pool.warm()
    server = pool.server
    assert server is not None
    await eventually(lambda: len(children_of(server.pid)) == SPARE_PROCESSES)
    return server


@pytest.mark.parametrize("name", FILES)
async def test_a_process_decodes_as_this_process_would(pool: DecoderPool, name: str) -> None:
    """The sound is the same, byte for byte, whether the file is uploaded or read on demand."""
    data = FILES[name]()

    async def read_range(start: int, count: int) -> bytes:
        return data[start : start + count]

    ranged = LargeSound(len(data), read_range, Limits(), UserDecoder(pool, "ann"))
    assert await decoded(pool, data) == read(data)
    assert b"".join([pcm async for pcm in ranged.pcm()]) == read(data)


@pytest.mark.parametrize("name", ["webm", "webm of a live recorder", "mkv"])
async def test_webm_is_decoded_while_it_arrives(pool: DecoderPool, name: str) -> None:
    """Three seconds are heard of the first two thirds of a file of six before more is sent, and in the end all."""
    codec = "flac" if name == "mkv" else "libopus"
    options = {"live": "1"} if "live" in name else None
    data = encoded("matroska" if name == "mkv" else "webm", codec, 48_000, seconds=6.0, options=options)
    upload = Upload()
    async with aclosing(Decoding(None, Limits(), UserDecoder(pool, "ann")).pcm(upload.chunks())) as sound:
        upload.arriving.put_nowait(data[: len(data) * 2 // 3])
        heard = b""
        while seconds(len(heard), RECOGNITION_RATE) < 3.0:
            heard += await asyncio.wait_for(anext(sound), HANG_SECONDS)
        upload.arriving.put_nowait(data[len(data) * 2 // 3 :])
        upload.arriving.put_nowait(None)
        heard += b"".join([pcm async for pcm in sound])
    assert heard == read(data)


@pytest.mark.parametrize(
    ("data", "limits", "kind", "code"),
    [
        (FILES["m4a"]()[:3000], Limits(), InvalidAudio, "audio-truncated"),
        (FILES["flac"](), Limits(max_seconds=0.5), TooLarge, "audio-too-long"),
        (encoded("ogg", "libopus", 48_000)[:60], Limits(), InvalidAudio, "audio-unreadable"),
        (encoded("mov", "pcm_s16be", 44_100).replace(b"twos", b"tw0s"), Limits(), UnsupportedFormat, None),
    ],
    ids=["truncated", "too long", "unreadable", "unknown codec"],
)
async def test_refusals_are_the_same(
    pool: DecoderPool, data: bytes, limits: Limits, kind: type[InvalidAudio], code: str | None
) -> None:
    """The error of a decoder process arrives with its class, code and text."""
    with pytest.raises(kind) as here:
        read(data, limits)
    with pytest.raises(kind) as there:
        await decoded(pool, data, limits=limits)
    assert (there.value.code, there.value.detail) == (here.value.code, here.value.detail)
    assert code in (None, there.value.code)


async def test_endless_work_ends_at_the_limit_of_cpu_time(pool: DecoderPool, events: Events) -> None:
    """A file that takes much longer than its sound justifies is refused, and its process does no more work."""
    server = await server_of(pool)
    with pytest.raises(InvalidAudio, match="takes too long"):
        await decoded(pool, endless_work(), limits=Limits(decode_seconds=HANG_SECONDS))
    assert events.reasons == ["cpu"]
    await eventually(lambda: len(children_of(server.pid)) == SPARE_PROCESSES)


async def test_a_deadline_kills_the_process(pool: DecoderPool, events: Events) -> None:
    """The deadline in wall time counts from the end of the upload; then the process is killed."""
    server = await server_of(pool)
    with pytest.raises(InvalidAudio, match="takes too long"):
        await decoded(pool, endless_work(), limits=Limits(decode_seconds=0.05))
    assert events.reasons == ["deadline"]
    await eventually(lambda: len(children_of(server.pid)) == SPARE_PROCESSES)


async def test_leaving_kills_the_process(pool: DecoderPool) -> None:
    """No process decodes for a caller who has left."""
    server = await server_of(pool)
    upload = Upload()
    decoding = asyncio.ensure_future(anext(Decoding(None, Limits(), UserDecoder(pool, "ann")).pcm(upload.chunks())))
    upload.arriving.put_nowait(encoded("webm", "libopus", 48_000, seconds=0.1)[:200])
    await eventually(lambda: len(children_of(server.pid)) > SPARE_PROCESSES)
    decoding.cancel()
    await asyncio.wait([decoding])
    await eventually(lambda: len(children_of(server.pid)) == SPARE_PROCESSES)


async def test_a_killed_process_costs_one_upload(pool: DecoderPool, events: Events) -> None:
    """A process killed after its first sound costs its upload, which can be sent again, and no other user's."""
    server = await server_of(pool)
    anns_process = children_of(server.pid)[0]
    data = encoded("webm", "libopus", 48_000, seconds=6.0)
    uploads = {user: Upload() for user in ("ann", "bob")}
    sounds = {user: Decoding(None, Limits(), UserDecoder(pool, user)).pcm(uploads[user].chunks()) for user in uploads}
    heard = {}
    for user, sound in sounds.items():
        uploads[user].arriving.put_nowait(data[: len(data) * 2 // 3])
        heard[user] = await asyncio.wait_for(anext(sound), HANG_SECONDS)
    os.kill(anns_process, signal.SIGKILL)
    with pytest.raises(Busy) as error:
        await _rest(sounds["ann"])
    assert error.value.retry_after
    uploads["bob"].arriving.put_nowait(data[len(data) * 2 // 3 :])
    uploads["bob"].arriving.put_nowait(None)
    assert heard["bob"] + await _rest(sounds["bob"]) == read(data)
    assert await decoded(pool, data) == read(data)
    assert events.reasons == ["killed"]


async def test_a_process_killed_before_the_first_sound_costs_nothing(pool: DecoderPool, events: Events) -> None:
    """An upload of which nothing was heard is decoded by another process, the bytes that had arrived included."""
    server = await server_of(pool)
    process = children_of(server.pid)[0]
    data = encoded("webm", "libopus", 48_000)
    upload = Upload()
    decoding = asyncio.create_task(_sound(pool, "ann", upload))
    upload.arriving.put_nowait(data[:200])
    await _has_children(server, SPARE_PROCESSES + 1)
    os.kill(process, signal.SIGKILL)
    await eventually(lambda: events.reasons == ["killed"])
    upload.arriving.put_nowait(data[200:])
    upload.arriving.put_nowait(None)
    assert await decoding == read(data)


async def test_an_upload_survives_the_death_of_waiting_processes(pool: DecoderPool) -> None:
    """When all waiting processes are killed, the next upload is decoded by a new one, before anyone has noticed."""
    server = await server_of(pool)
    for process in children_of(server.pid):
        os.kill(process, signal.SIGKILL)
    for name in ("m4a", "webm"):
        assert await decoded(pool, FILES[name]()) == read(FILES[name]())


async def test_a_server_that_ends_is_replaced(pool: DecoderPool, events: Events) -> None:
    """After the end of the server the next upload starts another one, also before the worker notices the end."""
    server = await server_of(pool)
    os.kill(server.pid, signal.SIGKILL)
    assert await decoded(pool, FILES["flac"]()) == read(FILES["flac"]())
    await eventually(lambda: not server.running)
    assert await decoded(pool, FILES["flac"]()) == read(FILES["flac"]())
    assert events.reasons == ["server"]


async def test_a_fork_that_fails_costs_no_other_recording(
    pool: DecoderPool, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system has no room for another process, one in use goes on, and a new upload can be sent again."""
    monkeypatch.setattr(decoder_server, "_MODULE", "tests.audio.decoder_process.full_server")
    monkeypatch.setenv("LANG", str(SPARE_PROCESSES))
    server = await server_of(pool)
    upload = Upload()
    decoding = asyncio.create_task(_sound(pool, "ann", upload))
    data = FILES["webm"]()
    upload.arriving.put_nowait(data[:200])
    await eventually(lambda: not pool.uploads.free("ann"))
    for user in ("bob", "eve"):
        with suppress(Busy):
            await decoded(pool, data, user)
    with pytest.raises(Busy) as error:
        await decoded(pool, data, "dan")
    assert error.value.retry_after
    upload.arriving.put_nowait(data[200:])
    upload.arriving.put_nowait(None)
    assert await decoding == read(data)
    assert server.running
    assert "fork" in events.reasons


async def test_a_refusal_arrives_although_the_upload_goes_on(pool: DecoderPool) -> None:
    """Bytes that the worker sends after the decoder's last frame do not lose that frame."""
    server = await server_of(pool)
    connection = await server.fork()
    data = encoded("webm", "libopus", 48_000, seconds=6.0)
    await connection.begin(Job(Limits(max_seconds=0.1), arriving=True))
    await connection.send(DATA, data[: len(data) * 2 // 3])
    await eventually(lambda: b"audio-too-long" in connection._reader._buffer)  # type: ignore[attr-defined]
    for _ in range(50):
        await connection.send(DATA, bytes(65_536))
    while (received := await connection.receive())[0] != REFUSED:
        assert received[0] == PCM
    connection.close()
    await _has_children(server, SPARE_PROCESSES)


async def test_an_upload_that_is_held_completely_has_room(pool: DecoderPool) -> None:
    """Its room is reserved before it is read, and free when its sound is there; WebM that arrives needs none."""
    steps: list[str] = []

    async def room() -> Callable[[], None]:
        steps.append("reserved")
        return lambda: steps.append("free")

    async def upload(name: str) -> AsyncGenerator[bytes]:
        steps.append("read")
        yield FILES[name]()

    decoder = UserDecoder(pool, "ann", room)
    sound = [pcm async for pcm in decoder.upload("m4a", upload("m4a"), Limits())]
    assert sound
    assert steps[:3] == ["reserved", "read", "free"]
    steps.clear()
    assert [pcm async for pcm in decoder.upload("webm", upload("webm"), Limits())]
    assert steps == ["read"]


async def test_a_start_goes_on_when_its_caller_leaves(pool: DecoderPool) -> None:
    """A caller who is cancelled while the server starts leaves nothing behind; the next one gets that server."""
    first = asyncio.create_task(decoded(pool, FILES["m4a"]()))
    await eventually(lambda: pool._starting is not None)
    first.cancel()
    await asyncio.wait([first])
    assert pool._starting is not None
    assert await decoded(pool, FILES["m4a"]()) == read(FILES["m4a"]())
    assert await pool._starting is pool.server


async def test_without_processes_recordings_are_decoded_here(
    pool: DecoderPool, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no process can be started, FFmpeg runs in this one, and the operator is informed once."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    for name in ("m4a", "webm"):
        assert await decoded(pool, FILES[name]()) == read(FILES[name]())
    assert events.names == ["decoder-in-process"]


async def test_a_user_has_one_slot(pool: DecoderPool) -> None:
    """A user's second upload waits for the first; that of another user does not."""
    first, second = Upload(), Upload()
    data = FILES["webm"]()
    holding = asyncio.create_task(_sound(pool, "ann", first))
    first.arriving.put_nowait(data[:200])
    await eventually(lambda: not pool.uploads.free("ann"))
    waiting = asyncio.create_task(_sound(pool, "ann", second))
    second.arriving.put_nowait(data)
    second.arriving.put_nowait(None)
    assert await decoded(pool, data, "bob") == read(data)
    assert not waiting.done()
    first.arriving.put_nowait(None)
    with pytest.raises(InvalidAudio):
        await holding
    assert await waiting == read(data)


async def test_secrets_do_not_reach_the_processes(pool: DecoderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the server holds none of the product's settings."""
    monkeypatch.setenv("SPEECH_KEY", "a-secret")
    server = await server_of(pool)
    assert b"a-secret" not in environment_of(server.pid)


async def _has_children(server: DecoderServer, count: int) -> None:
    await eventually(lambda: len(children_of(server.pid)) == count)


async def _rest(sound: AsyncIterator[bytes]) -> bytes:
    return b"".join([pcm async for pcm in sound])


async def _sound(pool: DecoderPool, user: str, upload: Upload) -> bytes:
    return await _rest(Decoding(None, Limits(), UserDecoder(pool, user)).pcm(upload.chunks()))
