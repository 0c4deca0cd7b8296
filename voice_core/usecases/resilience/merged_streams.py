"""Streams that are read ahead of their consumer, and merged into one."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class MergedStreams(Generic[Item]):
    """Reads *streams* concurrently, each in a task of its own, and gives their items as they arrive.

    A stream's error reaches the reader after the items that came before it. `aclose` cancels the tasks that still run
    and waits until they have released their resources.
    """

    def __init__(self, *streams: AsyncGenerator[Item]) -> None:
        self._items: asyncio.Queue[Item | None] = asyncio.Queue()
        self._running = len(streams)
        self._error: Exception | None = None
        self._tasks = [asyncio.create_task(self._read(stream)) for stream in streams]

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        item = await self._items.get()
        if item is not None:
            return item
        if self._error is not None:
            raise self._error
        raise StopAsyncIteration

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self, stream: AsyncGenerator[Item]) -> None:
        try:
            async for item in stream:
                self._items.put_nowait(item)
            self._running -= 1
        except Exception as error:  # noqa: BLE001 - it is raised again in the reader's task
            self._error = self._error or error
            self._running = 0
        finally:
            await stream.aclose()
        if not self._running:
            self._items.put_nowait(None)
