"""Workers and clients of the front, on bare sockets."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fakes.eventually import HANG_SECONDS
from local_host.front.limits import Limits
from local_host.front.server import front

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass(eq=False)
class Attempt:
    """One connection of the front to the worker."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the front has ended the connection."""
    head: bytes = b""

    async def read_head(self) -> bytes:
        self.head = await self.reader.readuntil(b"\r\n\r\n")
        return self.head

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until_end(self) -> None:
        """Read until the front ends the connection."""
        with suppress(ConnectionError):
            while await self.reader.read(65_536):
                pass
        self.ended.set()

    def reset(self) -> None:
        """End the connection with a reset."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def value(self, name: str) -> str:
        """The header field *name* of the request."""
        lines = self.head.decode().split("\r\n")
        return next(line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name}:"))


Serve = Callable[[Attempt], Awaitable[None]]


async def hello(attempt: Attempt) -> None:
    """Respond to a request without a body."""
    await attempt.read_head()
    await attempt.send(RESPONSE)


@dataclass
class FrontWithWorker:
    """A front with a worker behind it."""

    url: str
    attempts: list[Attempt]
    pauses: list[float]
    """The pauses between attempts, in seconds."""
    arrived: asyncio.Queue[Attempt]

    async def attempt(self) -> Attempt:
        """The next connection of the front to the worker, as it begins."""
        return await asyncio.wait_for(self.arrived.get(), HANG_SECONDS)


@asynccontextmanager
async def fronted(serve: Serve, limits: Limits | None = None) -> AsyncIterator[FrontWithWorker]:
    """A front without pauses between attempts, and a worker whose connections are served by *serve*."""
    attempts: list[Attempt] = []
    pauses: list[float] = []
    arrived: asyncio.Queue[Attempt] = asyncio.Queue()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attempt = Attempt(reader, writer)
        attempts.append(attempt)
        arrived.put_nowait(attempt)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(attempt)
        finally:
            writer.close()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, front(f"http://127.0.0.1:{port}", limits, pause=pause) as url:
        yield FrontWithWorker(url, attempts, pauses, arrived)


class Client:
    """A connection to a front."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def response(self) -> bytes:
        """Everything that arrives until the connection ends."""
        return await asyncio.wait_for(self.reader.read(), HANG_SECONDS)

    async def until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(end), HANG_SECONDS)

    def hang_up(self) -> None:
        self.writer.transport.abort()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


async def response_to(url: str, *request: bytes) -> bytes:
    """The complete response to a request whose connection ends with it."""
    async with connected(url) as client:
        with suppress(ConnectionError):
            for piece in request:
                await client.send(piece)
        return await client.response()


def request(method: str, *fields: str, target: str = "/a") -> bytes:
    """The head of a request on a connection that ends with the response."""
    return "\r\n".join(
        [f"{method} {target} HTTP/1.1", "Host: voice.example", "Connection: close", *fields, "", ""]
    ).encode()


def is_empty(response: bytes, status: int) -> bool:
    """Whether *response* has this *status*, and nothing in its body."""
    head, _, body = response.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 %d " % status) and body == b"" and b"\r\ncontent-length: 0" in head.lower()
