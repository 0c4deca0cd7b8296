"""A client's connection to the front."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from http import HTTPStatus

import h11

from local_host.front.fields import value
from local_host.front.limits import Limits
from local_host.front.upload import UploadRate

PIECE = 65_536
"""Most bytes that are read at a time."""

BUFFERED = 524_288
"""Half of the bytes that are read ahead: Kestrel reads up to 1 MB."""


class Refusal(Exception):
    """The front refuses the request with *status* and an empty body, and closes the connection."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class ClientGone(Exception):
    """The client has hung up."""


class ClientReader(asyncio.StreamReader):
    """The bytes of a client; *gone* is set as soon as it hangs up, whatever is still unread."""

    def __init__(self) -> None:
        super().__init__(limit=BUFFERED)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.gone.set()


class Client:
    """Reads requests from a connection, one after another, and sends the responses."""

    def __init__(self, reader: ClientReader, writer: asyncio.StreamWriter, limits: Limits) -> None:
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._http = h11.Connection(h11.SERVER)
        self._ahead = b""
        """Bytes that were read after the end of a head or of a request."""
        self.gone = reader.gone
        self.address = str(writer.get_extra_info("peername")[0])

    async def request(self) -> h11.Request:
        """The head of the next request.

        Raises:
            ClientGone: there is none.
            Refusal: 400, 413, 414 or 431.
        """
        head = await self._head()
        largest = self._limits.line_bytes + self._limits.header_bytes
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=largest)
        try:
            self._http.receive_data(head)
            request = self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise Refusal(400) from error
        if not isinstance(request, h11.Request):
            raise Refusal(400)
        if int(value(request, b"content-length") or b"0") > self._limits.body_bytes:
            raise Refusal(413)
        if self._ahead:
            self._http.receive_data(self._ahead)
        return request

    async def _head(self) -> bytes:
        arrived = bytearray(self._ahead)
        while (end := arrived.find(b"\r\n\r\n") + 4) < 4:
            self._check_size(arrived)
            arrived += await self._read()
        self._check_size(arrived[:end])
        self._ahead = bytes(arrived[end:])
        return bytes(arrived[:end])

    def _check_size(self, head: bytes | bytearray) -> None:
        line = head.find(b"\r\n") + 2 if b"\r\n" in head else len(head)
        if line > self._limits.line_bytes:
            raise Refusal(414)
        if len(head) - line > self._limits.header_bytes:
            raise Refusal(431)

    async def _read(self) -> bytes:
        piece = await self._reader.read(PIECE)
        if not piece:
            raise ClientGone
        return piece

    async def body(self) -> AsyncGenerator[bytes]:
        """The rest of the request's body as it arrives, without trailers.

        Raises:
            ClientGone: the client hung up.
            Refusal: 400; 408, the body is too slow; 413.
        """
        rate, size = UploadRate(self._limits), 0
        while self._http.their_state is h11.SEND_BODY:
            event = self._next_event()
            if isinstance(event, h11.Data):
                size += len(event.data)
                if size > self._limits.body_bytes:
                    raise Refusal(413)
                yield bytes(event.data)
            elif event is h11.NEED_DATA:
                await self._receive(rate)

    def _next_event(self) -> object:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise Refusal(400) from error

    async def _receive(self, rate: UploadRate) -> None:
        if self._http.they_are_waiting_for_100_continue:
            await self.send(h11.InformationalResponse(status_code=100, headers=[]))
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(rate.seconds_left):
                piece = await self._read()
        except TimeoutError as error:
            raise Refusal(408) from error
        rate.add(len(piece), loop.time() - began)
        self._http.receive_data(piece)

    async def send(self, event: h11.Event) -> None:
        """Send a part of the response at once; raises ConnectionError when the client has hung up."""
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def respond(self, status: int, *, closes: bool = False) -> None:
        """Send a response with an empty body."""
        fields = [("Content-Length", "0"), *([("Connection", "close")] if closes else [])]
        await self.send(h11.Response(status_code=status, headers=fields, reason=HTTPStatus(status).phrase))
        await self.send(h11.EndOfMessage())

    async def refuse(self, refusal: Refusal) -> None:
        """Send the refusal and end the connection, once the client has received it or `linger_seconds` are over."""
        await self.respond(refusal.status, closes=True)
        self._writer.write_eof()
        with suppress(TimeoutError, ClientGone):
            async with asyncio.timeout(self._limits.linger_seconds):
                while True:
                    await self._read()

    async def completed(self) -> bool:
        """Whether another request may follow; what is left of this one's body is read and dropped first."""
        if self._http.their_state is h11.SEND_BODY:
            with suppress(TimeoutError, Refusal):
                async with asyncio.timeout(self._limits.linger_seconds), aclosing(self.body()) as rest:
                    async for _ in rest:
                        pass
        self._ahead = self._http.trailing_data[0]
        return self._http.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}
