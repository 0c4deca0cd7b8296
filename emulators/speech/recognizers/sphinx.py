"""PocketSphinx in a pool of processes, each of which serves one turn at a time."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import emulators
from emulators.speech.engines import EngineMissing, LanguageUnknown, Recognition, RecognitionResult, Word, primary

WORKER = "emulators.speech.recognizers.sphinx_worker"
BEGIN, SOUND, FINISH = b"B", b"S", b"F"


class WorkerDied(RuntimeError):
    """The recognition process crashed during a turn."""


class WorkerProcess:
    """One recognition process, and the requests to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def start(cls) -> "WorkerProcess":
        root = Path(next(iter(emulators.__path__))).parent
        # Its own session protects it from the terminal's interrupt; it ends when its input is closed.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", WORKER, cwd=root, start_new_session=True,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return cls(process)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def call(self, kind: bytes, body: bytes = b"") -> dict[str, Any]:
        """Send a request and return the response. When cancelled, the exchange still completes: the pipe stays in sync.

        Raises:
            WorkerDied: the process did not respond.
        """
        exchange = asyncio.create_task(self._exchange(kind, body))
        exchange.add_done_callback(_retrieve_exception)
        return await asyncio.shield(exchange)

    async def stop(self) -> None:
        """Kill the process, even during a turn."""
        if self.alive:
            self._process.kill()
        await self._process.wait()

    async def _exchange(self, kind: bytes, body: bytes) -> dict[str, Any]:
        reader, writer = self._process.stdout, self._process.stdin
        if reader is None or writer is None:
            raise WorkerDied("the recognition process has no pipes")
        async with self._one_at_a_time:
            try:
                writer.write(kind + len(body).to_bytes(4, "big") + body)
                await writer.drain()
                size = await reader.readexactly(4)
                response = json.loads(await reader.readexactly(int.from_bytes(size, "big")))
            except (OSError, asyncio.IncompleteReadError) as error:
                raise WorkerDied("the recognition process died") from error
        return dict(response)


def _retrieve_exception(exchange: asyncio.Task[dict[str, Any]]) -> None:
    """Retrieve the exception: a cancelled caller does not, and asyncio would log a warning."""
    if not exchange.cancelled():
        exchange.exception()


class SphinxRecognition:
    """The recognition of one turn in one process."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker

    async def hear(self, pcm: bytes) -> str:
        return str((await self._worker.call(SOUND, pcm))["text"])

    async def finish(self) -> RecognitionResult:
        response = await self._worker.call(FINISH)
        return RecognitionResult(tuple(Word(**word) for word in response["words"]), confidence=response["confidence"])


class Sphinx:
    """Recognises American English with the model that comes with PocketSphinx; phrase lists weigh heavily.

    By default it serves as many turns at a time as there are cores; further ones wait for a process while their audio
    is buffered.
    """

    languages: tuple[str, ...] = ("en-US",)

    def __init__(self, processes: int | None = None) -> None:
        self._free = asyncio.Semaphore(processes or os.cpu_count() or 1)
        self._workers: set[WorkerProcess] = set()
        self._idle: list[WorkerProcess] = []

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncGenerator[Recognition]:
        if primary(language) != "en":
            raise LanguageUnknown(f"PocketSphinx has no model of {language}")
        if find_spec("pocketsphinx") is None:
            raise EngineMissing("recognition needs pocketsphinx: pip install pocketsphinx")
        async with self._free:
            worker = await self._begin_turn(json.dumps({"rate": rate, "phrases": phrases}).encode())
            try:
                yield SphinxRecognition(worker)
            finally:
                self._idle.append(worker)

    async def _begin_turn(self, turn: bytes) -> WorkerProcess:
        """A process that has begun *turn*. An idle process may have crashed unnoticed; it is skipped."""
        while True:
            fresh = not self._idle
            worker = await self._take()
            try:
                await worker.call(BEGIN, turn)
            except WorkerDied:
                self._workers.discard(worker)
                await worker.stop()
                if fresh:
                    raise
            except BaseException:
                self._idle.append(worker)
                raise
            else:
                return worker

    async def close(self) -> None:
        for worker in self._workers:
            await worker.stop()
        self._workers.clear()
        self._idle.clear()

    async def _take(self) -> WorkerProcess:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self._workers.discard(worker)
        worker = await WorkerProcess.start()
        self._workers.add(worker)
        return worker
