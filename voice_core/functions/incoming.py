"""A request while it arrives."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from voice_core import wiring
from voice_core.domain.errors import BodyStalled, InvalidInput, TooLarge

Result = TypeVar("Result")

LONGEST_LENGTH = 15
"""Digits of a Content-Length."""

WAITING_CHUNKS = 16
"""How much of a body is read ahead of whoever decodes it."""


class ClientGone(Exception):
    """The caller hung up; there is nobody to answer."""


class Incoming:
    """The one reader of a request: its body as it arrives, and whether its sender is still there.

    Starlette's streaming response watches for a hang-up by reading the request's channel itself, and would swallow a
    body that is still arriving; this reads it once for both.
    """

    def __init__(self, request: Request) -> None:
        self.method = request.method
        self.headers = request.headers
        self.query = request.query_params
        self.path = request.path_params
        self.user_id = ""
        """Of the caller, once they are known; `identity.user_id` reads it."""
        self.told: dict[str, str] = {}
        """Headers of the answer, whatever it will be."""
        self._receive = request.receive
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_CHUNKS)
        self._gone: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._reading: asyncio.Task[None] | None = None

    @property
    def content_type(self) -> str:
        """Without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def has(self, etag: str) -> bool:
        """Whether its sender has this version already (RFC 9110, 13.1.2)."""
        named = self.headers.get("if-none-match", "")
        return named.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in named.split(",")]

    @property
    def content_length(self) -> int:
        """Bytes the body will have, 0 when it does not say.

        Raises:
            InvalidInput: what it says is no number of bytes.
        """
        said = self.headers.get("content-length", "0")
        if not (said.isascii() and said.isdecimal() and len(said) <= LONGEST_LENGTH):
            raise InvalidInput("The Content-Length is no number of bytes.")
        return int(said)

    async def chunks(self, limit: int | None = None) -> AsyncGenerator[bytes]:
        """The body as it arrives, of at most *limit* bytes.

        Raises:
            TooLarge: ``body-too-large``, as soon as that is known.
            BodyStalled: it comes too slowly.
            ClientGone: before the body's end.
        """
        _refuse_over(limit, self.content_length)
        self._start()
        arrived = 0
        ends = asyncio.get_running_loop().time() + wiring.app().settings.body_seconds
        while (chunk := await self._next(ends)) is not None:
            arrived += len(chunk)
            _refuse_over(limit, arrived)
            yield chunk
        if self._gone.done():
            raise ClientGone

    async def _next(self, ends: float) -> bytes | None:
        """The next piece of the body, None after the last, which must come before *ends*, of the event loop's clock."""
        stalls = asyncio.get_running_loop().time() + wiring.app().settings.body_stall_seconds
        try:
            async with asyncio.timeout_at(min(stalls, ends)):
                return await self._chunks.get()
        except TimeoutError as error:
            raise BodyStalled("The rest of the body did not come in time. Send it again.") from error

    async def read(self, limit: int) -> bytes:
        """The whole body; raises as `chunks` does."""
        return b"".join([chunk async for chunk in self.chunks(limit)])

    async def unless_gone(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of *work*, which is cancelled when the caller hangs up.

        Raises:
            ClientGone: after *work* has let go.
        """
        self._start()
        working = asyncio.create_task(work)
        try:
            await asyncio.wait({working, self._gone}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise ClientGone
            return working.result()
        finally:
            if not working.done():
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)

    async def aclose(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _start(self) -> None:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        more = True
        while more:
            message = await self._receive()
            more = message["type"] == "http.request" and message.get("more_body", False)
            if body := message.get("body"):
                await self._chunks.put(body)
            if message["type"] == "http.disconnect":
                self._gone.set_result(None)
        await self._chunks.put(None)
        if not self._gone.done():
            await self._receive()
            self._gone.set_result(None)


def _refuse_over(limit: int | None, size: int) -> None:
    if limit is not None and size > limit:
        detail = f"The body may have at most {limit} bytes; long recordings go through /clips."
        raise TooLarge(detail, code="body-too-large")
