"""An upload can be read again while nothing of it has been heard, and no chunk is lost."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from fakes.eventually import eventually
from tests.audio.decoder_process.recordings import Upload
from voice_core.audio.decoder_process.replayable_upload import ReplayableUpload


async def test_a_second_reader_begins_at_the_beginning() -> None:
    """Chunks that one reader had, and the chunk that it waited for when it was cancelled, reach the next reader."""
    source = Upload()
    upload = ReplayableUpload(source.chunks())
    source.arriving.put_nowait(b"1")
    read: list[bytes] = []

    async def begin() -> None:
        async for chunk in upload.chunks():
            read.append(chunk)  # noqa: PERF401 - what was read before the reader is cancelled

    first = asyncio.create_task(begin())
    await eventually(lambda: read)
    first.cancel()
    await asyncio.wait([first])
    for chunk in (b"2", b"3", None):
        source.arriving.put_nowait(chunk)
    assert [chunk async for chunk in upload.chunks()] == [b"1", b"2", b"3"]
    assert [chunk async for chunk in upload.chunks()] == [b"1", b"2", b"3"]


async def test_a_released_upload_keeps_nothing() -> None:
    """After the release a reader goes on, and a new one gets only what has not been read."""
    source = Upload()
    upload = ReplayableUpload(source.chunks())
    for chunk in (b"1", b"2", b"3", None):
        source.arriving.put_nowait(chunk)
    reader = upload.chunks()
    assert await anext(reader) == b"1"
    upload.release()
    assert await anext(reader) == b"2"
    assert [chunk async for chunk in upload.chunks()] == [b"3"]


async def test_an_error_of_the_source_reaches_every_reader() -> None:
    """The upload's own error is passed on, to a second reader too."""

    async def broken() -> AsyncGenerator[bytes]:
        yield b"1"
        raise ConnectionResetError

    upload = ReplayableUpload(broken())
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            await _read(upload)


async def test_closing_ends_the_wait_for_the_source() -> None:
    """After the end no task waits for more of the upload, and the source is closed."""
    waiting, closed = asyncio.Event(), asyncio.Event()

    async def silent() -> AsyncGenerator[bytes]:
        try:
            waiting.set()
            await asyncio.Event().wait()
            yield b""
        finally:
            closed.set()

    upload = ReplayableUpload(silent())
    reading = asyncio.create_task(_read(upload))
    await waiting.wait()
    await upload.aclose()
    await asyncio.wait([reading])
    assert closed.is_set()


async def _read(upload: ReplayableUpload) -> list[bytes]:
    return [chunk async for chunk in upload.chunks()]
