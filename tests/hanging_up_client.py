"""A caller who leaves when it pleases them."""

import asyncio
from time import monotonic
from urllib.parse import urlsplit

from tests.eventually import PATIENCE_SECONDS


class Caller:
    """A client on a bare socket, who can leave at any byte."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)

    async def call(self, body: bytes, *, promised: int | None = None, accept: str = "text/event-stream") -> None:
        """Send *body*, as the beginning of *promised* bytes."""
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
        await asyncio.wait_for(self.reader.readuntil(marker), PATIENCE_SECONDS)

    def hang_up(self) -> float:
        """Leave; the moment of it."""
        self._writer.transport.abort()
        return monotonic()
