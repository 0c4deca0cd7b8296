"""The processes of one engine."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from emulators.speech.engines import EngineMissing
from emulators.speech.processes.process import RESPONSE_SECONDS, EngineDied, EngineProcess


class ProcessPool:
    """Up to *most* processes, which are started when callers wait or are expected, and stay for later ones.

    Callers get the next process that is free, in the order in which they came; no one waits for a process to load while
    another one is free. The last process is replaced at once when it dies, unless it died before its first response.
    """

    def __init__(self, command: Sequence[str], most: int, response_seconds: float = RESPONSE_SECONDS) -> None:
        self._command = tuple(command)
        self._most = most
        self._processes: set[EngineProcess] = set()
        self._proven: set[EngineProcess] = set()
        """Those that have responded."""
        self._idle: list[EngineProcess] = []
        self._waiting: deque[asyncio.Future[EngineProcess]] = deque()
        self._starting = 0
        self._expected = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.response_seconds = response_seconds
        """Longest time to the response to a first request; a process that takes longer counts as dead."""
        self.name = ""
        """The engine's name, once a process has been started."""
        self.missing = ""
        """Why no process could be started at the last attempt."""
        self.changed: Callable[[], None] = lambda: None
        """Called when `missing` has changed."""

    @property
    def pids(self) -> list[int]:
        """Ids of the processes that run."""
        return [process.pid for process in self._processes if process.alive]

    async def start(self) -> None:
        """Start a process unless one runs.

        Raises:
            EngineMissing: the engine cannot run here.
        """
        if not self.pids:
            self._return(await self._take())

    async def call(self, kind: bytes, body: bytes) -> bytes:
        """The response to one request, with which any process can begin.

        Raises:
            EngineMissing: the engine cannot run here.
            EngineDied: a new process died during the request.
        """
        async with self.conversation(kind, body) as (_, response):
            return response

    @asynccontextmanager
    async def conversation(self, kind: bytes, body: bytes) -> AsyncGenerator[tuple[EngineProcess, bytes]]:
        """A process for this caller alone, and its response to the first request.

        A process that has responded before may have died unnoticed, or dies of the request; then another one gets it.

        Raises:
            EngineMissing: the engine cannot run here.
            EngineDied: a new process died during the request.
        """
        process, response = await self._begin(kind, body)
        try:
            yield process, response
        finally:
            self._return(process)

    @contextmanager
    def expecting(self) -> Generator[None]:
        """Meanwhile a caller is expected, so that its process is started before it comes."""
        self._expected += 1
        self._grow()
        try:
            yield
        finally:
            self._expected -= 1

    async def close(self) -> None:
        """Stop all processes."""
        for task in self._tasks:
            task.cancel()
        for waiter in self._waiting:
            waiter.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for process in self._processes:
            await process.stop()
        self._processes.clear()
        self._proven.clear()
        self._idle.clear()

    async def _begin(self, kind: bytes, body: bytes) -> tuple[EngineProcess, bytes]:
        while True:
            process = await self._take()
            proven = process in self._proven
            try:
                response = await process.call(kind, body, self.response_seconds)
            except EngineDied:
                await process.stop()
                if not proven:
                    raise
            except BaseException:
                self._return(process)
                raise
            else:
                self._proven.add(process)
                return process, response

    async def _take(self) -> EngineProcess:
        while self._idle:
            process = self._idle.pop()
            if process.alive:
                return process
        waiter: asyncio.Future[EngineProcess] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._grow()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._return(waiter.result())
            raise

    def _return(self, process: EngineProcess) -> None:
        """Give *process* to the first caller that waits; a process that has died is no longer counted.

        A process that still works on a request whose caller was cancelled is given out when it has finished.
        """
        if process.alive and process.busy:
            self._do(self._return_later(process))
            return
        while process.alive and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(process)
                return
        if process.alive:
            self._idle.append(process)
        else:
            self._grow()

    async def _return_later(self, process: EngineProcess) -> None:
        await process.settled()
        self._return(process)

    def _grow(self) -> None:
        """Start another process if callers wait for more than are starting, or more are expected than there are."""
        waiting = sum(not waiter.done() for waiter in self._waiting)
        processes = len(self.pids) + self._starting
        if (waiting > self._starting or self._expected > processes) and processes < self._most:
            self._starting += 1
            self._do(self._add())

    async def _add(self) -> None:
        try:
            process = await EngineProcess.start(self._command)
        except EngineMissing as reason:
            self._note(str(reason))
            if not self.pids and self._starting == 1:
                self._refuse(reason)
        else:
            self.name = process.name
            self._note("")
            self._processes.add(process)
            self._do(self._watch(process))
            self._return(process)
        finally:
            self._starting -= 1

    async def _watch(self, process: EngineProcess) -> None:
        """When *process* has ended, start another if it had served, and no other runs."""
        await process.ended()
        proven = process in self._proven
        for collection in (self._processes, self._proven):
            collection.discard(process)
        if process in self._idle:
            self._idle.remove(process)
        if proven and not self.pids and not self._starting:
            self._starting += 1
            self._do(self._add())
        self._grow()

    def _refuse(self, reason: EngineMissing) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(EngineMissing(str(reason)))

    def _note(self, missing: str) -> None:
        if missing != self.missing:
            self.missing = missing
            self.changed()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
