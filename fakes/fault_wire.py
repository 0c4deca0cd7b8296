"""A TCP proxy between the product and a service (a wire), which can inject faults."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

DRIP_SECONDS = 0.05
"""Time between two bytes of a wire that drips."""

GARBAGE = bytes(range(256)) * 4
PAGE = b"<html>Sign in to the network</html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a wire."""

    name: str
    status: int = 0
    """Each request gets a response with this HTTP status."""
    retry_after: int = 0
    """Seconds, sent in all headers that our providers use for it."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that are added to the default ones or replace them."""
    body: bytes = b""
    """Body of that response."""
    raw: bytes = b""
    """Each request gets these bytes as its response."""
    refuses: bool = False
    silent: bool = False
    drips: bool = False
    cut_after: int | None = None
    """Bytes of each response, after which the connection is cut."""

    def response(self) -> bytes:
        """The faulty response."""
        if self.raw:
            return self.raw
        headers = {"Content-Length": len(self.body), "Content-Type": "text/html", "Connection": "close"}
        if self.retry_after:
            headers |= {"Retry-After": self.retry_after, "x-ms-retry-after-ms": self.retry_after * 1000}
        head = "".join(f"{name}: {value}\r\n" for name, value in (headers | dict(self.headers)).items())
        return f"HTTP/1.1 {self.status} Scripted\r\n{head}\r\n".encode() + self.body


class Wire:
    """A proxy on 127.0.0.1 for the service at *target*."""

    def __init__(self, target: str) -> None:
        self._host, self._port = urlsplit(target).hostname, urlsplit(target).port
        self._server: asyncio.Server | None = None
        self._reserved: socket.socket | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._fault: Fault | None = None
        self.port = 0
        self.connections = 0
        """Connections accepted so far."""

    def at(self, url: str) -> str:
        """*url* of the target, with the address of this wire."""
        return urlsplit(url)._replace(netloc=f"127.0.0.1:{self.port}").geturl()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def break_with(self, fault: Fault) -> None:
        """Apply *fault* from now on; open connections are cut."""
        self._fault = fault
        if fault.refuses:
            await self.close()
            # Bound but not listening: no other process gets the port, and connections are refused.
            self._reserved = socket.socket()
            self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._reserved.bind(("127.0.0.1", self.port))
        await self._cut()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._reserved is not None:
            self._reserved.close()
        await self._cut()

    async def _cut(self) -> None:
        for task in (open_now := [*self._open]):
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._respond(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._fault
        if fault is not None and (fault.silent or fault.status or fault.raw):
            await reader.readuntil(b"\r\n\r\n")
            if not fault.silent:
                writer.write(fault.response())
                await writer.drain()
                writer.write_eof()
            # The rest of the request has to be read: closing a connection with unread bytes loses the response.
            while await reader.read(65_536):
                pass
            return
        await self._pass_on(reader, writer, fault)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault | None) -> None:
        there_reader, there_writer = await asyncio.open_connection(self._host, self._port)
        back = _back(fault)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, there_writer))
                both.create_task(back(there_reader, writer))
        except* (OSError, EOFError):
            pass
        finally:
            there_writer.transport.abort()


Copy = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def _back(fault: Fault | None) -> Copy:
    """The function that passes responses on."""
    if fault is None:
        return _copy
    return _drip if fault.drips else _cutting(fault.cut_after or 0)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    raise EOFError


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1):
        writer.write(data)
        await asyncio.sleep(DRIP_SECONDS)
    raise EOFError


def _cutting(count: int) -> Copy:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = count
        while left and (data := await reader.read(left)):
            writer.write(data)
            await writer.drain()
            left -= len(data)
        raise EOFError

    return cut


@asynccontextmanager
async def wire(target: str) -> AsyncIterator[Wire]:
    """A wire to *target* that works until it is broken."""
    made = Wire(target)
    await made.open()
    try:
        yield made
    finally:
        with suppress(OSError):
            await made.close()
