"""Reads every request to its end, as the front of the Functions host does.

A client that sends its complete body before it reads can receive the response only if the connection stays open until
then. Azure's front, Kestrel, keeps it open. uvicorn, which serves here, closes it after a response to
``Connection: close``. `local_host.front` behaves like Azure's front in every respect, but is not always there.
"""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STALL_SECONDS = 10.0
"""Longest wait for the next piece of a discarded body."""

SECONDS = 60.0
"""Longest time for a discarded body, plus the time its bytes take at `SLOWEST`."""

SLOWEST = 62_500
"""Lowest rate at which a discarded body may arrive, in bytes per second."""


class CompleteBodies:
    """ASGI middleware: a response of *app* is sent at once, and completed when the request's body is complete."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _announces_body(Headers(scope=scope)):
            await _Exchange(receive, send).serve(self._app, scope)
        else:
            await self._app(scope, receive, send)


def _announces_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0").strip() != "0"


class _Exchange:
    """One request with a body, and its response."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._more = True

    async def serve(self, app: ASGIApp, scope: Scope) -> None:
        await app(scope, self._read, self._send_and_wait)

    async def _read(self) -> Message:
        message = await self._receive()
        self._more = message["type"] == "http.request" and bool(message.get("more_body", False))
        return message

    async def _send_and_wait(self, message: Message) -> None:
        if self._more and message["type"] == "http.response.body" and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._discard()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _discard(self) -> None:
        """Read on until the body ends or comes too slowly; the response is completed in both cases."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + SECONDS
        try:
            while self._more:
                async with asyncio.timeout_at(min(loop.time() + STALL_SECONDS, ends)):
                    message = await self._read()
                ends += len(message.get("body", b"")) / SLOWEST
        except TimeoutError:
            return
