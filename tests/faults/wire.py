"""A wire that can be broken: TCP between the product and a service, with everything that goes wrong there."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

DRIP_SECONDS = 0.05
"""Between two bytes of a wire that drips."""

GARBAGE = bytes(range(256)) * 4
PAGE = b"<html>Sign in to the network</html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a wire."""

    name: str
    status: int = 0
    """Each request is answered with this HTTP status, and nothing else."""
    retry_after: int = 0
    """Seconds, in every header that our providers say it by."""
    headers: tuple[tuple[str, str], ...] = ()
    """More of them, or others than usual."""
    body: bytes = b""
    """Of that answer."""
    raw: bytes = b""
    """Each request is answered with these bytes."""
    refuses: bool = False
    silent: bool = False
    drips: bool = False
    cut_after: int | None = None
    """Bytes of each answer, after which the connection is cut."""

    def answer(self) -> bytes:
        """What is said instead of the right thing."""
        if self.raw:
            return self.raw
        told = {"Content-Length": len(self.body), "Content-Type": "text/html", "Connection": "close"}
        if self.retry_after:
            told |= {"Retry-After": self.retry_after, "x-ms-retry-after-ms": self.retry_after * 1000}
        head = "".join(f"{name}: {value}\r\n" for name, value in (told | dict(self.headers)).items())
        return f"HTTP/1.1 {self.status} Scripted\r\n{head}\r\n".encode() + self.body


class Wire:
    """Leads from *url*, on 127.0.0.1, to the service at *target*."""

    def __init__(self, target: str) -> None:
        self._host, self._port = urlsplit(target).hostname, urlsplit(target).port
        self._server: asyncio.Server | None = None
        self._held: socket.socket | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._fault: Fault | None = None
        self.port = 0
        self.taken = 0
        """Connections so far."""

    def at(self, url: str) -> str:
        """*url*, which is the target's, by way of this wire."""
        return urlsplit(url)._replace(netloc=f"127.0.0.1:{self.port}").geturl()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def break_with(self, fault: Fault) -> None:
        """From now on; what is connected is cut off."""
        self._fault = fault
        if fault.refuses:
            await self.close()
            # Bound and not listening: nobody else gets the port, and whoever connects is refused.
            self._held = socket.socket()
            self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._held.bind(("127.0.0.1", self.port))
        await self._cut()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._held is not None:
            self._held.close()
        await self._cut()

    async def _cut(self) -> None:
        for task in (open_now := [*self._open]):
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
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
                writer.write(fault.answer())
                await writer.drain()
                writer.write_eof()
            # The rest of the request has to be read: a connection closed on unread bytes loses the answer.
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
    """How answers are passed on."""
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
