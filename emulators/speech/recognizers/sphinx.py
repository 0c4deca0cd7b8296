"""PocketSphinx in a few processes, each for one turn at a time."""

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
from emulators.speech.engines import EngineMissing, Heard, Hearing, LanguageUnknown, Word, primary

WORKER = "emulators.speech.recognizers.sphinx_worker"
BEGIN, SOUND, FINISH = b"B", b"S", b"F"


class WorkerDied(RuntimeError):
    """The process of a turn ended in the middle of it."""


class WorkerProcess:
    """One process, and the conversation with it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def start(cls) -> "WorkerProcess":
        root = Path(next(iter(emulators.__path__))).parent
        # A session of its own keeps the terminal's interrupt from it: it ends with its input.
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

    async def ask(self, kind: bytes, body: bytes = b"") -> dict[str, Any]:
        """Its answer. Being cancelled leaves the exchange to end on its own, so that the next one is in step.

        Raises:
            WorkerDied: it has no answer.
        """
        exchange = asyncio.create_task(self._exchange(kind, body))
        exchange.add_done_callback(_heed)
        return await asyncio.shield(exchange)

    async def stop(self) -> None:
        """Kill it, whatever it is at."""
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
                answer = json.loads(await reader.readexactly(int.from_bytes(size, "big")))
            except (OSError, asyncio.IncompleteReadError) as error:
                raise WorkerDied("the recognition process died") from error
        return dict(answer)


def _heed(exchange: asyncio.Task[dict[str, Any]]) -> None:
    """How it went is known: who was cancelled does not ask, and asyncio would complain."""
    if not exchange.cancelled():
        exchange.exception()


class SphinxHearing:
    """One turn's sound, in one process."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker

    async def hear(self, pcm: bytes) -> str:
        return str((await self._worker.ask(SOUND, pcm))["text"])

    async def finish(self) -> Heard:
        answer = await self._worker.ask(FINISH)
        return Heard(tuple(Word(**word) for word in answer["words"]), confidence=answer["confidence"])


class Sphinx:
    """Recognises American English with the model that comes with PocketSphinx; takes phrase lists to heart.

    As many turns at a time as there are cores; further ones wait for a process while their sound is kept.
    """

    languages: tuple[str, ...] = ("en-US",)

    def __init__(self, processes: int | None = None) -> None:
        self._free = asyncio.Semaphore(processes or os.cpu_count() or 1)
        self._workers: set[WorkerProcess] = set()
        self._idle: list[WorkerProcess] = []

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncGenerator[Hearing]:
        if primary(language) != "en":
            raise LanguageUnknown(f"PocketSphinx has no model of {language}")
        if find_spec("pocketsphinx") is None:
            raise EngineMissing("recognition needs pocketsphinx: pip install pocketsphinx")
        async with self._free:
            worker = await self._beginning(json.dumps({"rate": rate, "phrases": phrases}).encode())
            try:
                yield SphinxHearing(worker)
            finally:
                self._idle.append(worker)

    async def _beginning(self, turn: bytes) -> WorkerProcess:
        """A process that has begun *turn*. An idle one may be dead without being known for it yet: that is left out."""
        while True:
            fresh = not self._idle
            worker = await self._take()
            try:
                await worker.ask(BEGIN, turn)
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
