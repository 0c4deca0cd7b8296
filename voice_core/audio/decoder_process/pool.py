"""The decoder processes of a worker process."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import aclosing
from functools import partial

from voice_core.audio.container_decoder import ReadRange, Room
from voice_core.audio.decoder_process.decoder_connection import DecoderConnection
from voice_core.audio.decoder_process.decoder_frames import ConnectionEnded, InvalidFrame, Job
from voice_core.audio.decoder_process.decoder_server import DecoderServer, ServerEnded
from voice_core.audio.decoder_process.exchange import Exchange, Report
from voice_core.audio.decoder_process.replayable_upload import ReplayableUpload
from voice_core.audio.decoder_process.slots import Slots
from voice_core.audio.in_process import InProcessDecoder
from voice_core.audio.limits import Limits
from voice_core.domain.errors import Busy

MOST_UPLOADS = 16
"""Uploads that are decoded at a time: as many as the requests that an instance serves at a time."""

MOST_FILES = 4
"""Files of clips that are decoded at a time."""

SPARE_PROCESSES = 2
"""Processes that wait for a recording, so that a killed one is replaced before it is needed."""

RESTART_SECONDS = 60.0
"""After a server that could not be started. Until then, recordings are decoded in this process."""

RETRY_SECONDS = 1.0

ARRIVING = ("webm", "mkv")
"""Containers that are decoded while they arrive."""


Receive = Callable[[bytes], None]
"""Takes decoded sound."""

Work = Callable[[Receive], Awaitable[None]]


class DecoderPool:
    """Decodes recordings of all users, each in a process of its own. *report* gets events for the operator."""

    def __init__(self, report: Report) -> None:
        self.uploads = Slots(MOST_UPLOADS)
        self.files = Slots(MOST_FILES)
        self._report = report
        self.server: DecoderServer | None = None
        """The server, once it is needed."""
        self._starting: asyncio.Task[DecoderServer] | None = None
        self._spares: deque[DecoderConnection] = deque()
        self._refilling: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._fallback = InProcessDecoder()

    def of(self, user_id: str, room: Room | None = None) -> "UserDecoder":
        """The decoder of one user's recordings. *room* reserves memory for an upload that must be held completely."""
        return UserDecoder(self, user_id, self._fallback, room)

    async def warm(self) -> None:
        """Start the server, and processes that wait for recordings."""
        with contextlib.suppress(ServerEnded):
            await self._fill(await self._running())

    def warm_soon(self) -> None:
        """`warm` in the background."""
        if self._refilling is None or self._refilling.done():
            self._refilling = asyncio.create_task(self.warm())

    async def exchange(self, job: Job) -> Exchange:
        """An exchange with a new process that has taken *job*. A process that was killed before that is left out.

        Raises:
            Busy: new processes end at once, or there are no descriptors.
            ServerEnded: there can be none at present.
        """
        await self._running()
        try:
            connection = await self._taken_by_spare(job) or await self._taken_by_forked(job)
        except (ConnectionEnded, InvalidFrame, OSError) as error:
            self._report("decoder-failed", {"reason": "fork", "error": repr(error)})
            raise Busy("Decoding the recording could not begin. Send it again.", retry_after=RETRY_SECONDS) from error
        self.warm_soon()
        return Exchange(connection, self._report)

    async def _taken_by_spare(self, job: Job) -> DecoderConnection | None:
        """A waiting process that has taken *job*; None if there is none."""
        while (spare := self._spare()) is not None:
            with contextlib.suppress(ConnectionEnded):
                await spare.begin(job)
                return spare
        return None

    async def _taken_by_forked(self, job: Job) -> DecoderConnection:
        """A process that is forked for *job*. A server that has ended since it was last used is replaced."""
        try:
            connection = await (await self._running()).fork()
            await connection.begin(job)
        except (ServerEnded, ConnectionEnded):
            connection = await (await self._running()).fork()
            await connection.begin(job)
        return connection

    async def close(self) -> None:
        """End all processes."""
        if self._refilling is not None:
            self._refilling.cancel()
            await asyncio.gather(self._refilling, return_exceptions=True)
        if self._starting is not None:
            await asyncio.wait({self._starting})
        for spare in self._spares:
            spare.close()
        self._spares.clear()
        if self.server is not None:
            await self.server.close()

    def _spare(self) -> DecoderConnection | None:
        while self._spares:
            if (spare := self._spares.popleft()).usable:
                return spare
            spare.close()
        return None

    async def _running(self) -> DecoderServer:
        """The server. One start serves all callers, and goes on when they leave."""
        if self.server is not None and self.server.running:
            return self.server
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._started())
            # The exception is read, so it is never reported as lost.
            self._starting.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._starting)

    async def _started(self) -> DecoderServer:
        loop = asyncio.get_running_loop()
        if loop.time() < self._not_before:
            raise ServerEnded("it could not be started a moment ago")
        if self.server is not None:
            self._report("decoder-failed", {"reason": "server"})
            await self.server.close()
        try:
            self.server = await DecoderServer.start()
        except ServerEnded as error:
            self._not_before = loop.time() + RESTART_SECONDS
            self._report("decoder-in-process", {"error": str(error)})
            raise
        return self.server

    async def _fill(self, server: DecoderServer) -> None:
        for _ in range(len(self._spares)):
            if (spare := self._spares.popleft()).usable:
                self._spares.append(spare)
            else:
                spare.close()
        with contextlib.suppress(ServerEnded, OSError):
            while len(self._spares) < SPARE_PROCESSES:
                self._spares.append(await server.fork())


class UserDecoder:
    """The `ContainerDecoder` of one user: at most one upload at a time, in processes of *pool* if there are any."""

    def __init__(self, pool: DecoderPool, user_id: str, fallback: InProcessDecoder, room: Room | None) -> None:
        self._pool = pool
        self._user_id = user_id
        self._fallback = fallback
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
                pieces = self._fallback.ranged(size, read, limits, report_seconds)
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
            async with aclosing(self._fallback.upload(name, chunks, job.limits)) as pieces:
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
