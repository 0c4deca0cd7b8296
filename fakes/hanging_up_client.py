"""A client that disconnects in the middle of a request or response."""

import asyncio
from time import monotonic
from urllib.parse import urlsplit

from fakes.eventually import HANG_SECONDS


class Caller:
    """An HTTP client on a bare socket; it can disconnect after any byte."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)

    async def call(self, body: bytes, *, promised: int | None = None, accept: str = "text/event-stream") -> None:
        """Send *body* with a ``Content-Length`` of *promised* bytes (default: the length of *body*)."""
        host, port = self._address.hostname, self._address.port
        self.reader, self._writer = await asyncio.open_connection(host, port)
        content_type = "application/json" if body.startswith(b"{") else "audio/wav"
        head = (
            f"POST {self._address.path}/process HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: {accept}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {promised or len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        await self._writer.drain()

    async def until(self, marker: bytes) -> None:
        await asyncio.wait_for(self.reader.readuntil(marker), HANG_SECONDS)

    def disconnect(self) -> float:
        """Abort the connection, and return the time (`monotonic`) at which it was aborted."""
        self._writer.transport.abort()
        return monotonic()
