"""Serves the front on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from local_host.front.client import Client, ClientGone, ClientReader, Refusal
from local_host.front.exchange import Exchange, Pause, Worker
from local_host.front.limits import Limits
from local_host.front.worker import ResponseCut


@asynccontextmanager
async def front(
    url: str, limits: Limits | None = None, *, port: int = 0, pause: Pause = asyncio.sleep
) -> AsyncIterator[str]:
    """The address of a front of the worker at *url*, with the same path; port 0 takes a free one.

    *pause* waits between two attempts of a request. The limits are the host's unless others are given.

    Raises:
        OSError: the port is taken.
    """
    address = urlsplit(url)
    worker = Worker(address, limits or Limits(), pause)
    connections: set[asyncio.Task[None]] = set()

    def protocol() -> asyncio.StreamReaderProtocol:
        reader = ClientReader()

        def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(_serve(reader, writer, worker))
            connections.add(task)
            task.add_done_callback(connections.discard)

        return asyncio.StreamReaderProtocol(reader, connected)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{address.path}"
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _serve(reader: ClientReader, writer: asyncio.StreamWriter, worker: Worker) -> None:
    """Serve the requests of one connection, one after another."""
    client = Client(reader, writer, worker.limits)
    try:
        with suppress(ClientGone, ConnectionError, ResponseCut):
            try:
                while True:
                    await Exchange(client, await client.request(), worker).run()
                    if not await client.completed():
                        break
            except Refusal as refusal:
                await client.refuse(refusal)
            writer.close()
            await writer.wait_closed()
    finally:
        writer.transport.abort()
