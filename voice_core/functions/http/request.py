"""A request while it arrives."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.requests import Request

from voice_core import timeouts, wiring
from voice_core.domain.errors import BodyStalled, InvalidInput, TooLarge
from voice_core.environ import SettingsError

Result = TypeVar("Result")

LONGEST_LENGTH = 15
"""Digits of a Content-Length."""

MOST_ETAGS = 100
"""That are compared."""

WAITING_CHUNKS = 16
"""How much of a body is read ahead of whoever decodes it."""

SLOWEST_DISCARDED = 62_500
"""Bytes per second, on average, at which a body that nobody needs must arrive: 500 kbit/s, a phone in poor coverage.

Its time is `max_audio_seconds` more, because a recording that is sent while it is spoken comes at the pace of speech.
The host's largest body, 104,857,600 bytes, has 29 minutes. Kestrel itself asks for 240 bytes per second.
"""

MOST_DISCARDED = 210_000_000
"""Bytes of a body that nobody needs: the largest request that Azure documents
(https://learn.microsoft.com/azure/azure-functions/functions-scale#service-limits).
"""


class ClientGone(Exception):
    """The caller hung up; there is nobody to answer."""


class HttpRequest:
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
        self.response_headers: dict[str, str] = {}
        """Headers of the answer, whatever it will be."""
        self._receive = request.receive
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_CHUNKS)
        self._gone: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._reading: asyncio.Task[None] | None = None
        self._whole = not self._announces_body()

    def _announces_body(self) -> bool:
        """Whether its framing has a body (RFC 9112, 6)."""
        return "transfer-encoding" in self.headers or self.headers.get("content-length", "0").strip() != "0"

    @property
    def whole(self) -> bool:
        """Whether its body has been read to the end, or it has none."""
        return self._whole

    @property
    def content_type(self) -> str:
        """Without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def has(self, etag: str) -> bool:
        """Whether its sender has this version already (RFC 9110, 13.1.2). Of a long list it is not looked for."""
        named = self.headers.get("if-none-match", "")
        if named.count(",") > MOST_ETAGS:
            return False
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
        settings = wiring.app().settings
        with timeouts.running_time() as clock:
            ends = clock() + settings.body_seconds
            while (chunk := await self._next(min(settings.body_stall_seconds, ends - clock()))) is not None:
                arrived += len(chunk)
                _refuse_over(limit, arrived)
                yield chunk
        if self._gone.done():
            raise ClientGone

    async def _next(self, seconds: float) -> bytes | None:
        """The next piece of the body, None after the last; it must come within *seconds*."""
        try:
            async with timeouts.timeout(seconds):
                chunk = await self._chunks.get()
        except TimeoutError as error:
            raise BodyStalled("The rest of the body did not come in time. Send it again.") from error
        self._whole = self._whole or chunk is None
        return chunk

    async def read(self, limit: int) -> bytes:
        """The whole body; raises as `chunks` does."""
        return b"".join([chunk async for chunk in self.chunks(limit)])

    async def discard(self) -> bool:
        """Read what is left of the body and keep none of it; whether its end came, or the caller's hang-up.

        False after `body_stall_seconds` without a piece, below `SLOWEST_DISCARDED`, and beyond `MOST_DISCARDED`.
        """
        self._start()
        stall_seconds, seconds = _discard_limits()
        discarded = 0
        with timeouts.running_time() as clock, suppress(BodyStalled):
            ends = clock() + seconds
            while discarded <= MOST_DISCARDED and not self._whole:
                arrived = len(await self._next(min(stall_seconds, ends - clock())) or b"")
                discarded += arrived
                ends += arrived / SLOWEST_DISCARDED
        return self._whole

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


def _discard_limits() -> tuple[float, float]:
    """Of a discarded body: seconds between two pieces, and seconds in all before those that its bytes earn."""
    try:
        settings = wiring.app().settings
    except SettingsError:
        # That is an error to report as well.
        return 10.0, 60.0
    return settings.body_stall_seconds, settings.max_audio_seconds


def _refuse_over(limit: int | None, size: int) -> None:
    if limit is not None and size > limit:
        detail = f"The body may have at most {limit} bytes; long recordings go through /clips."
        raise TooLarge(detail, code="body-too-large")
