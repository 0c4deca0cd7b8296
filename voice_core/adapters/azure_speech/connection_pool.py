"""Connections that are opened before they are needed."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar


class PooledConnection(Protocol):
    """Something of the SDK with a connection of its own."""

    @property
    def opened(self) -> bool:
        """Its connection stands."""

    async def open(self) -> bool:
        """Open the connection, or wait for it when it is being opened; False when that failed."""

    async def ready(self) -> bool:
        """Wait until it can be used; False when it cannot."""

    def discard(self) -> None:
        """Free it, without waiting for that."""


Key = TypeVar("Key", bound=Hashable)
AnyConnection = TypeVar("AnyConnection", bound=PooledConnection)


class ConnectionPool(Generic[Key, AnyConnection]):
    """Holds up to *size* lines for *keep_seconds* each, and makes others by *make*.

    The service closes what is idle for minutes; what it closed is not handed out.
    """

    def __init__(self, make: Callable[[Key], Awaitable[AnyConnection]], *, size: int, keep_seconds: float) -> None:
        self.make = make
        self._size = size
        self._keep_seconds = keep_seconds
        self._lines: dict[AnyConnection, tuple[Key, asyncio.TimerHandle]] = {}
        self._preparing: set[asyncio.Task[None]] = set()

    async def prepare(self, key: Key) -> None:
        """Shelve one more line and open it; one that cannot be opened is discarded, and nobody hears of it."""
        line = await self.make(key)
        self.put(key, line)
        if not await line.open():
            self._remove(line)

    def prepare_soon(self, key: Key) -> None:
        """Likewise in the background, unless there is a line for *key*."""
        if not self._shelved(key):
            task = asyncio.create_task(self.prepare(key))
            self._preparing.add(task)
            task.add_done_callback(self._prepared)

    def put(self, key: Key, line: AnyConnection) -> None:
        """Shelve *line*; the oldest makes room for it."""
        if len(self._lines) >= self._size:
            self._remove(next(iter(self._lines)))
        timer = asyncio.get_running_loop().call_later(self._keep_seconds, self._remove, line)
        self._lines[line] = (key, timer)

    async def take(self, key: Key) -> AnyConnection:
        """A line that is ready, or one that is being opened once it is, or a new one that opens when it is used."""
        while lines := self._shelved(key):
            line = next((line for line in reversed(lines) if line.opened), lines[0])
            self._unshelve(line)
            if await _ready(line):
                return line
            line.discard()
        return await self.make(key)

    async def close(self) -> None:
        """Discard all lines."""
        for task in self._preparing:
            task.cancel()
        await asyncio.gather(*self._preparing, return_exceptions=True)
        for line in list(self._lines):
            self._remove(line)

    def _shelved(self, key: Key) -> list[AnyConnection]:
        return [line for line, (its_key, _) in self._lines.items() if its_key == key]

    def _unshelve(self, line: AnyConnection) -> bool:
        _, timer = self._lines.pop(line, (None, None))
        if timer is not None:
            timer.cancel()
        return timer is not None

    def _remove(self, line: AnyConnection) -> None:
        if self._unshelve(line):
            line.discard()

    def _prepared(self, task: asyncio.Task[None]) -> None:
        self._preparing.discard(task)
        if not task.cancelled():
            # Whatever kept the line from being made will be heard of when one is needed.
            task.exception()


async def _ready(line: PooledConnection) -> bool:
    try:
        return await line.ready()
    except asyncio.CancelledError:
        line.discard()
        raise
