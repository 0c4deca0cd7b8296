"""The front's connection to the worker, one for each attempt of a request."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import h11

from local_host.front.limits import Limits
from local_host.front.upload import Steps

PIECE = 65_536


class WorkerFailure(Exception):
    """The connection to the worker failed before the head of a response; *orderly*: the worker closed it."""

    def __init__(self, *, orderly: bool = False) -> None:
        super().__init__(orderly)
        self.orderly = orderly


class ResponseCut(Exception):
    """The connection to the worker failed in the middle of a response."""


class Attempt:
    """Sends one request to the worker, and then reads its response.

    Like .NET's HTTP client, it reads nothing before the request has been sent completely. So a worker that responds
    and closes the connection while the body arrives has failed.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)
        self._steps = Steps(limits.step_bytes)

    async def send(self, request: h11.Request, body: AsyncIterator[bytes]) -> None:
        """Raises WorkerFailure, and whatever *body* raises."""
        await self._collect(request)
        async for piece in body:
            await self._collect(h11.Data(data=piece))
        await self._collect(h11.EndOfMessage())
        await self._write(self._steps.rest())

    async def _collect(self, event: h11.Event) -> None:
        await self._write(self._steps.add(self._http.send(event) or b""))

    async def _write(self, data: bytes) -> None:
        try:
            if data:
                self._writer.write(data)
                await self._writer.drain()
        except OSError as error:
            raise WorkerFailure from error

    async def head(self) -> h11.Response:
        """The head of the response, as soon as it arrives; raises WorkerFailure."""
        try:
            while not isinstance(event := self._http.next_event(), h11.Response):
                if event is h11.NEED_DATA:
                    piece = await self._reader.read(PIECE)
                    if not piece:
                        raise WorkerFailure(orderly=True)
                    self._http.receive_data(piece)
        except (OSError, h11.RemoteProtocolError) as error:
            raise WorkerFailure from error
        return event

    async def content(self) -> AsyncGenerator[bytes]:
        """The body of the response as it arrives, without trailers; raises ResponseCut."""
        try:
            while not isinstance(event := self._http.next_event(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
                else:
                    self._http.receive_data(await self._reader.read(PIECE))
        except (OSError, h11.RemoteProtocolError) as error:
            raise ResponseCut from error


@asynccontextmanager
async def attempt(host: str, port: int, limits: Limits) -> AsyncIterator[Attempt]:
    """A connection to the worker, closed at once at the end; raises WorkerFailure if there is none."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        raise WorkerFailure from error
    try:
        yield Attempt(reader, writer, limits)
    finally:
        writer.transport.abort()
