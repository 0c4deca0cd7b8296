"""The decoder processes of a worker process."""

import asyncio
import contextlib
from collections import deque

from voice_core.audio.decoder_process.decoder_connection import DecoderConnection
from voice_core.audio.decoder_process.decoder_frames import ConnectionEnded, InvalidFrame, Job
from voice_core.audio.decoder_process.decoder_server import DecoderServer, ServerEnded
from voice_core.audio.decoder_process.exchange import Exchange, Report
from voice_core.audio.decoder_process.slots import Slots
from voice_core.audio.in_process import InProcessDecoder
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
        self.fallback = InProcessDecoder()
        """Decodes while there is no server."""

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
