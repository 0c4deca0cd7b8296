"""A front like that of the Functions host, in its behaviour towards requests that are refused early.

Measured with Kestrel and YARP in front of uvicorn: a request's body is forwarded while the response is read, and
hop-by-hop headers are not forwarded. A worker that closes the connection while the body arrives, or announces that in
its response, counts as failed: the client gets 502 with an empty body.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
PIECE = 65_536


class _WorkerFailure(Exception):
    """The worker behaved in a way that the front treats as a failure."""


@dataclass
class Head:
    """The first lines of a message, and the framing of its body."""

    lines: list[bytes]
    length: int = 0
    chunked: bool = False
    closes: bool = False

    @classmethod
    def parse(cls, raw: bytes) -> "Head":
        head = cls([])
        for line in raw.removesuffix(b"\r\n\r\n").split(b"\r\n"):
            name, _, value = line.lower().partition(b":")
            head.closes |= name == b"connection" and b"close" in value
            head.chunked |= name == b"transfer-encoding" and b"chunked" in value
            head.length = int(value) if name == b"content-length" else head.length
            if name != b"connection":
                head.lines.append(line)
        return head

    @property
    def raw(self) -> bytes:
        return b"\r\n".join([*self.lines, b"", b""])


@dataclass
class _Exchange:
    """One request and its response."""

    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    worker: asyncio.StreamReader
    to_worker: asyncio.StreamWriter
    sent: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the request's body was forwarded to its end."""

    async def run(self) -> None:
        request = Head.parse(await self.client.readuntil(b"\r\n\r\n"))
        self.to_worker.write(request.raw)
        forwarding = asyncio.create_task(self._forward(request))
        try:
            await self._answer()
            await forwarding
        except (_WorkerFailure, ConnectionError, asyncio.IncompleteReadError):
            self.to_client.write(BAD_GATEWAY)
        finally:
            forwarding.cancel()
            await asyncio.gather(forwarding, return_exceptions=True)

    async def _forward(self, request: Head) -> None:
        await _copy(request, self.client, self.to_worker)
        self.sent.set()

    async def _answer(self) -> None:
        head = Head.parse(await self.worker.readuntil(b"\r\n\r\n"))
        if head.closes and not self.sent.is_set():
            raise _WorkerFailure
        self.to_client.write(head.raw)
        await _copy(head, self.worker, self.to_client)


async def _copy(head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy a message's body to its end, as its framing defines that."""
    left = head.length
    while left:
        piece = await reader.read(min(left, PIECE))
        if not piece:
            raise _WorkerFailure
        writer.write(piece)
        await writer.drain()
        left -= len(piece)
    while head.chunked:
        size = await reader.readuntil(b"\r\n")
        writer.write(size + await reader.readexactly(int(size, 16) + 2))
        await writer.drain()
        head.chunked = int(size, 16) > 0


@asynccontextmanager
async def fronted(url: str) -> AsyncIterator[str]:
    """The address of such a front, which forwards to *url*."""
    worker = urlsplit(url)

    async def serve(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        upstream, to_worker = await asyncio.open_connection(worker.hostname, worker.port, limit=PIECE * 4)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await _Exchange(client, to_client, upstream, to_worker).run()
        to_worker.close()
        to_client.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=PIECE * 4)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{worker.path}"
