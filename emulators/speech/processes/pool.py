"""The processes of one engine."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from emulators.speech.engines import EngineMissing
from emulators.speech.processes.process import EngineDied, EngineProcess


class ProcessPool:
    """Up to *most* processes, which are started when they are needed and stay for later callers.

    Callers get a process in the order in which they came. A process that dies is replaced at once, unless it died
    before its first response: the next caller then tries again.
    """

    def __init__(self, command: Sequence[str], most: int) -> None:
        self._command = tuple(command)
        self._free = asyncio.Semaphore(most)
        self._processes: set[EngineProcess] = set()
        self._idle: list[EngineProcess] = []
        self._proven: set[EngineProcess] = set()
        self._tasks: set[asyncio.Task[None]] = set()
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
        async with self._free:
            if not self.pids:
                self._idle.append(await self._start())

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

        An idle process may have died unnoticed, or dies of the request; then another one gets the request.

        Raises:
            EngineMissing: the engine cannot run here.
            EngineDied: a new process died during the request.
        """
        async with self._free:
            process, response = await self._begin(kind, body)
            try:
                yield process, response
            finally:
                self._idle.append(process)

    async def close(self) -> None:
        """Stop all processes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for process in self._processes:
            await process.stop()
        self._processes.clear()
        self._idle.clear()

    async def _begin(self, kind: bytes, body: bytes) -> tuple[EngineProcess, bytes]:
        while True:
            fresh = not self._idle
            process = await self._start() if fresh else self._idle.pop()
            try:
                response = await process.call(kind, body)
            except EngineDied:
                await process.stop()
                if fresh:
                    raise
            except BaseException:
                self._idle.append(process)
                raise
            else:
                self._proven.add(process)
                return process, response

    async def _start(self) -> EngineProcess:
        try:
            process = await EngineProcess.start(self._command)
        except EngineMissing as reason:
            self._note(str(reason))
            raise
        self.name = process.name
        self._note("")
        self._processes.add(process)
        task = asyncio.create_task(self._replace(process))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return process

    def _note(self, missing: str) -> None:
        if missing != self.missing:
            self.missing = missing
            self.changed()

    async def _replace(self, process: EngineProcess) -> None:
        """When *process* has ended, start another if it had served, and no other runs."""
        await process.ended()
        self._processes.discard(process)
        if process in self._idle:
            self._idle.remove(process)
        if process not in self._proven:
            return
        self._proven.discard(process)
        try:
            await self.start()
        except EngineMissing:
            return  # the next caller gets the reason
