"""A wire to the worker that breaks after a request has been carried out: its first responses are lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PIECE = 65_536


@dataclass
class LossyWire:
    """The wire; *lost* are the statuses of the responses that were lost."""

    url: str = ""
    losses: int = 0
    """How many more responses are lost."""
    lost: list[int] = field(default_factory=list)


@asynccontextmanager
async def losing(url: str, losses: int) -> AsyncIterator[LossyWire]:
    """A wire to the worker at *url* that closes the connection instead of the first *losses* responses."""
    worker, wire = urlsplit(url), LossyWire(losses=losses)

    async def serve(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        response, to_worker = await asyncio.open_connection(worker.hostname, worker.port)
        sending = asyncio.create_task(_copy(client, to_worker))
        try:
            head = await response.read(PIECE)
            if wire.losses:
                wire.losses -= 1
                wire.lost.append(int(head.split(b" ")[1]))
                return
            to_client.write(head)
            await _copy(response, to_client)
        finally:
            sending.cancel()
            to_worker.close()
            to_client.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{worker.path}"
        yield wire


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        writer.close()
