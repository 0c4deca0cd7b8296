"""One socket, and what a turn sends over it."""

import asyncio
import socket as tcp
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from emulators.script import Served, Step
from emulators.speech.messages import audio_frame, document_frame

BAD_REQUEST = 1007
CLOSE_CODES = {400: BAD_REQUEST, 429: 4429}
"""Close codes the SDK reports as the class it gives that HTTP status; there is none for the others."""
SERVER_ERROR = 1011


class TurnEnded(Exception):
    """The script cut the turn short, or refused it; the log says which."""


class Channel:
    """A client's socket."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.BaseTransport | None) -> None:
        self._socket = socket
        self._transport = transport

    async def send(self, path: str, request_id: str, document: Mapping[str, Any] | str) -> None:
        await self._socket.send_str(document_frame(path, request_id, document))

    async def send_audio(self, request_id: str, pcm: bytes) -> None:
        await self._socket.send_bytes(audio_frame(request_id, pcm))

    async def close(self, code: int, reason: str) -> None:
        """Close with *reason*, of which WebSocket carries 123 bytes."""
        await self._socket.close(code=code, message=reason.encode()[:120])

    def acknowledge(self) -> None:
        """Acknowledge what came at once: delayed, it would hold a client's next small message back for 40 ms."""
        raw = self._transport.get_extra_info("socket") if self._transport else None
        if raw is not None and hasattr(tcp, "TCP_QUICKACK"):
            raw.setsockopt(tcp.IPPROTO_TCP, tcp.TCP_QUICKACK, 1)

    def cut(self) -> None:
        """End the connection without a word, as a broken network would."""
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()


class Answer:
    """What one turn sends, as its step has it."""

    def __init__(self, channel: Channel, request_id: str, step: Step, served: Served) -> None:
        self.step = step
        self.facts = served.facts
        self._channel = channel
        self._request_id = request_id
        self._served = served
        self._results = 0

    async def begin(self) -> None:
        """Send ``turn.start``, unless the step refuses the turn or leaves it hanging.

        Raises:
            TurnEnded: it was refused.
        """
        if self.step.status is not None:
            self._served.outcome = f"status-{self.step.status}"
            code = CLOSE_CODES.get(self.step.status, SERVER_ERROR)
            await self._channel.close(code, self.step.body or f"status {self.step.status}")
            raise TurnEnded
        if self.step.hang:
            self._served.outcome = "hung"
            await asyncio.Event().wait()
        await self.send("turn.start", {"context": {"serviceTag": self._request_id}})

    async def send(self, path: str, document: Mapping[str, Any] | str) -> None:
        await self._channel.send(path, self._request_id, document)

    async def send_result(self, path: str, document: Mapping[str, Any] | str) -> None:
        """Send something the script counts.

        Raises:
            TurnEnded: that was one too many for the step.
        """
        self._count()
        await self.send(path, document)

    async def send_audio(self, pcm: bytes) -> None:
        """Likewise for a chunk of speech."""
        self._count()
        await self._channel.send_audio(self._request_id, pcm)

    async def end(self) -> None:
        await self.send("turn.end", {})

    async def refuse(self, reason: str) -> None:
        """Close the socket for a request that cannot be served.

        Raises:
            TurnEnded: always.
        """
        self._served.outcome = "status-400"
        await self._channel.close(BAD_REQUEST, reason)
        raise TurnEnded

    def _count(self) -> None:
        if self._results == self.step.drop_after:
            self._served.outcome = "dropped"
            self._channel.cut()
            raise TurnEnded
        self._results += 1
