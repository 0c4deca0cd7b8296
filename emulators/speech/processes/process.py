"""One process of an engine, and the requests to it."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import emulators
from emulators.speech.engines import EngineMissing
from emulators.speech.processes.frames import LENGTH_BYTES, length, request_frame

START_SECONDS = 600.0
"""Longest time to load an engine. A few seconds do, unless a model that was named has to be downloaded first."""


RESPONSE_SECONDS = 120.0
"""Longest time to a response; the longest phrase takes a few seconds on a busy machine."""


class EngineDied(RuntimeError):
    """An engine's process ended during a request."""


class EngineProcess:
    """A process that has loaded its engine."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.name = ""
        """The engine's name."""
        self._process = process
        self._one_at_a_time = asyncio.Lock()
        self._exchanging: asyncio.Task[bytes] | None = None

    @classmethod
    async def start(cls, command: Sequence[str]) -> "EngineProcess":
        """Start ``python`` with the arguments *command*, and wait until the engine is loaded.

        Raises:
            EngineMissing: the engine cannot run here.
        """
        try:
            # Its own session protects it from the terminal's interrupt; it ends when its input is closed.
            process = await asyncio.create_subprocess_exec(
                sys.executable, *command, cwd=Path(next(iter(emulators.__path__))).parent, start_new_session=True,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise EngineMissing(f"its process cannot be started: {error.strerror}") from error
        started = cls(process)
        try:
            async with asyncio.timeout(START_SECONDS):
                await started._load()
        except TimeoutError as error:
            await started.stop()
            raise EngineMissing(f"its process did not load within {START_SECONDS:.0f} s") from error
        except BaseException:
            await started.stop()
            raise
        return started

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def call(self, kind: bytes, body: bytes = b"", seconds: float = RESPONSE_SECONDS) -> bytes:
        """Send a request and return the response. When cancelled, the exchange still completes: the pipe stays in sync.

        Raises:
            EngineDied: the process did not respond, or not within *seconds*, which ends it.
        """
        exchange = self._exchanging = asyncio.create_task(self._timely(request_frame(kind, body), seconds))
        exchange.add_done_callback(_retrieve_exception)
        return await asyncio.shield(exchange)

    @property
    def busy(self) -> bool:
        """Whether it still works on a request, whose caller may have been cancelled."""
        return self._exchanging is not None and not self._exchanging.done()

    async def settled(self) -> None:
        """Return when it is not `busy`."""
        if self._exchanging is not None:
            await asyncio.wait({self._exchanging})

    async def ended(self) -> None:
        """Return when the process has ended."""
        await self._process.wait()

    async def stop(self) -> None:
        """Kill the process, even during a request."""
        if self.alive:
            self._process.kill()
        await self._process.wait()

    async def _load(self) -> None:
        try:
            state = json.loads(await self._exchange(b""))
        except EngineDied as error:
            raise EngineMissing("its process ended while it was loaded") from error
        if "missing" in state:
            raise EngineMissing(state["missing"])
        self.name = state["name"]

    async def _timely(self, request: bytes, seconds: float) -> bytes:
        try:
            return await asyncio.wait_for(self._exchange(request), seconds)
        except TimeoutError as error:
            await self.stop()
            raise EngineDied(f"the engine's process did not respond within {seconds:.0f} s") from error

    async def _exchange(self, request: bytes) -> bytes:
        reader, writer = self._process.stdout, self._process.stdin
        if reader is None or writer is None:
            raise EngineDied("the engine's process has no pipes")
        async with self._one_at_a_time:
            try:
                writer.write(request)
                await writer.drain()
                return await reader.readexactly(length(await reader.readexactly(LENGTH_BYTES)))
            except (OSError, asyncio.IncompleteReadError) as error:
                raise EngineDied("the engine's process died") from error


def _retrieve_exception(exchange: asyncio.Task[bytes]) -> None:
    """Retrieve the exception: a cancelled caller does not, and asyncio would log a warning."""
    if not exchange.cancelled():
        exchange.exception()
