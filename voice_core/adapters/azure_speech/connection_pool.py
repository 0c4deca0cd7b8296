"""Connections that are opened ahead of their use."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar


class PooledConnection(Protocol):
    """An object of the SDK with a connection of its own."""

    @property
    def opened(self) -> bool:
        """Whether its connection is open."""

    async def open(self) -> bool:
        """Open the connection, or wait while it is being opened; False if that failed."""

    async def ready(self) -> bool:
        """Wait until it can be used; False if it cannot."""

    def discard(self) -> None:
        """Free it, without waiting for completion."""


Key = TypeVar("Key", bound=Hashable)
AnyConnection = TypeVar("AnyConnection", bound=PooledConnection)


class ConnectionPool(Generic[Key, AnyConnection]):
    """Holds up to *size* connections for *keep_seconds* each, and creates others with *make*.

    The service closes connections that are idle for minutes; the pool does not return closed ones.
    """

    def __init__(self, make: Callable[[Key], Awaitable[AnyConnection]], *, size: int, keep_seconds: float) -> None:
        self.make = make
        self._size = size
        self._keep_seconds = keep_seconds
        self._connections: dict[AnyConnection, tuple[Key, asyncio.TimerHandle]] = {}
        self._preparing: set[asyncio.Task[None]] = set()

    async def prepare(self, key: Key) -> None:
        """Add a connection to the pool and open it. One that cannot be opened is discarded without an error."""
        connection = await self.make(key)
        self.put(key, connection)
        if not await connection.open():
            self._remove(connection)

    def prepare_soon(self, key: Key) -> None:
        """As `prepare`, in the background, unless the pool has a connection for *key*."""
        if not self._pooled(key):
            task = asyncio.create_task(self.prepare(key))
            self._preparing.add(task)
            task.add_done_callback(self._prepared)

    def put(self, key: Key, connection: AnyConnection) -> None:
        """Add *connection* to the pool; if the pool is full, the oldest one is discarded."""
        if len(self._connections) >= self._size:
            self._remove(next(iter(self._connections)))
        timer = asyncio.get_running_loop().call_later(self._keep_seconds, self._remove, connection)
        self._connections[connection] = (key, timer)

    async def take(self, key: Key) -> AnyConnection:
        """An open connection, else one that is being opened (waits for it), else a new one that opens at first use."""
        while connections := self._pooled(key):
            connection = next((connection for connection in reversed(connections) if connection.opened), connections[0])
            self._take_out(connection)
            if await _ready(connection):
                return connection
            connection.discard()
        return await self.make(key)

    async def close(self) -> None:
        """Discard all connections."""
        for task in self._preparing:
            task.cancel()
        await asyncio.gather(*self._preparing, return_exceptions=True)
        for connection in list(self._connections):
            self._remove(connection)

    def _pooled(self, key: Key) -> list[AnyConnection]:
        return [connection for connection, (its_key, _) in self._connections.items() if its_key == key]

    def _take_out(self, connection: AnyConnection) -> bool:
        _, timer = self._connections.pop(connection, (None, None))
        if timer is not None:
            timer.cancel()
        return timer is not None

    def _remove(self, connection: AnyConnection) -> None:
        if self._take_out(connection):
            connection.discard()

    def _prepared(self, task: asyncio.Task[None]) -> None:
        self._preparing.discard(task)
        if not task.cancelled():
            # Retrieve the error, so that asyncio does not log it. The next `take` will fail with the same.
            task.exception()


async def _ready(connection: PooledConnection) -> bool:
    try:
        return await connection.ready()
    except asyncio.CancelledError:
        connection.discard()
        raise
