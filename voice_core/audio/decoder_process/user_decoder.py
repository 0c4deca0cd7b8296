"""The decoding of one user's recordings."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import aclosing
from functools import partial

from voice_core.audio.container_decoder import ReadRange, Room
from voice_core.audio.decoder_process.decoder_frames import Job
from voice_core.audio.decoder_process.decoder_server import ServerEnded
from voice_core.audio.decoder_process.pool import DecoderPool
from voice_core.audio.decoder_process.replayable_upload import ReplayableUpload
from voice_core.audio.limits import Limits
from voice_core.domain.errors import Busy

ARRIVING = ("webm", "mkv")
"""Containers that are decoded while they arrive."""

Receive = Callable[[bytes], None]
"""Takes decoded sound."""

Work = Callable[[Receive], Awaitable[None]]


class UserDecoder:
    """The `ContainerDecoder` of one user: at most one upload at a time, in processes of *pool* if there are any."""

    def __init__(self, pool: DecoderPool, user_id: str, room: Room | None = None) -> None:
        """*room* reserves memory for an upload that must be held completely."""
        self._pool = pool
        self._user_id = user_id
        self._room = room or _no_room

    async def upload(self, name: str, chunks: AsyncIterable[bytes], limits: Limits) -> AsyncGenerator[bytes]:
        """The sound of an upload. It is decoded as fast as possible, however fast the sound is read."""
        self._pool.warm_soon()
        arriving = name in ARRIVING and self._pool.uploads.free(self._user_id)
        free = await (_no_room if arriving else self._room)()
        try:
            if not arriving:
                chunks = _single_chunk(b"".join([chunk async for chunk in chunks]))
            work = partial(self._decode, name, ReplayableUpload(chunks), Job(limits, arriving=arriving))
            async with aclosing(_received(partial(self._in_slot, work))) as pieces:
                # It is decoded by the time that the first sound is read, or soon after.
                async for pcm in pieces:
                    free()
                    yield pcm
        finally:
            free()

    async def ranged(
        self, size: int, read: ReadRange, limits: Limits, report_seconds: Callable[[float | None], None]
    ) -> AsyncGenerator[bytes]:
        """The sound of a file. The process waits while no sound is read."""
        slot = object()
        await self._pool.files.acquire(slot, wait_seconds=None)
        try:
            try:
                exchange = await self._pool.exchange(Job(limits, size=size))
            except ServerEnded:
                pieces = self._pool.fallback.ranged(size, read, limits, report_seconds)
            else:
                pieces = exchange.ranged(size, read, report_seconds)
            async with aclosing(pieces):
                async for pcm in pieces:
                    yield pcm
        finally:
            self._pool.files.release(slot)

    async def _in_slot(self, work: Work, receive: Receive) -> None:
        await self._pool.uploads.acquire(self._user_id)
        try:
            await work(receive)
        finally:
            self._pool.uploads.release(self._user_id)

    async def _decode(self, name: str, upload: ReplayableUpload, job: Job, receive: Receive) -> None:
        """Decode an upload, and once more if its process was killed from outside before the first sound."""

        def receive_and_release(pcm: bytes) -> None:
            upload.release()
            receive(pcm)

        async with aclosing(upload):
            try:
                await self._decode_once(job, name, upload.chunks(), receive_and_release)
            except Busy:
                if upload.released:
                    raise
                await self._decode_once(job, name, upload.chunks(), receive_and_release)

    async def _decode_once(self, job: Job, name: str, chunks: AsyncIterable[bytes], receive: Receive) -> None:
        try:
            exchange = await self._pool.exchange(job)
        except ServerEnded:
            async with aclosing(self._pool.fallback.upload(name, chunks, job.limits)) as pieces:
                async for pcm in pieces:
                    receive(pcm)
        else:
            await exchange.upload(job, chunks, receive)


async def _received(work: Work) -> AsyncGenerator[bytes]:
    """The sound that *work* receives, in a task of its own."""
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
    running = asyncio.ensure_future(work(pieces.put_nowait))
    running.add_done_callback(lambda _: pieces.put_nowait(None))
    try:
        while (pcm := await pieces.get()) is not None:
            yield pcm
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _no_room() -> Callable[[], None]:
    """Reserve nothing."""
    return lambda: None


async def _single_chunk(data: bytes) -> AsyncGenerator[bytes]:
    yield data
