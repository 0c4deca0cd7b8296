"""The server side of one client's WebSocket."""

import asyncio
import socket as tcp
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from emulators.speech.messages import audio_frame, document_frame

BAD_REQUEST, SERVER_ERROR, TOO_MANY_REQUESTS = 1007, 1011, 4429
"""Close codes; the SDK reports each as the error code of that name."""
REASON_BYTES = 123
"""Longest reason in a WebSocket's close frame."""


class ClientGone(Exception):
    """The client has disconnected."""


class Channel:
    """Sends messages over one socket and determines how it is closed."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.BaseTransport | None, connection_id: str = ""
    ) -> None:
        self.connection_id = connection_id
        self.ending: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        """The code and the reason to close the socket with, once they are set."""
        self._socket = socket
        self._transport = transport

    async def send(self, path: str, request_id: str, document: Mapping[str, Any] | str) -> None:
        """Send a document.

        Raises:
            ClientGone: the client has disconnected.
        """
        try:
            await self._socket.send_str(document_frame(path, request_id, document))
        except ConnectionResetError as error:
            raise ClientGone from error

    async def send_audio(self, request_id: str, pcm: bytes) -> None:
        """Send a chunk of speech.

        Raises:
            ClientGone: the client has disconnected.
        """
        try:
            await self._socket.send_bytes(audio_frame(request_id, pcm))
        except ConnectionResetError as error:
            raise ClientGone from error

    def end(self, code: int, reason: str) -> None:
        """Request that the socket is closed with *reason*, cut to `REASON_BYTES`; its handler does so."""
        if not self.ending.done():
            complete_characters = reason.encode()[:REASON_BYTES].decode(errors="ignore")
            self.ending.set_result((code, complete_characters.encode()))

    def acknowledge(self) -> None:
        """Send the TCP acknowledgement at once; a delayed one would delay a client's next small message by 40 ms."""
        raw = self._transport.get_extra_info("socket") if self._transport else None
        if raw is not None and hasattr(tcp, "TCP_QUICKACK"):
            raw.setsockopt(tcp.IPPROTO_TCP, tcp.TCP_QUICKACK, 1)

    def cut(self) -> None:
        """Abort the connection without a close frame, as a broken network would."""
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()
