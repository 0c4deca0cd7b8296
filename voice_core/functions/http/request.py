"""A request while its body arrives."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request

from voice_core import timeouts, wiring
from voice_core.domain.errors import BodyStalled, InvalidInput, TooLarge
from voice_core.environ import SettingsError

Result = TypeVar("Result")

LONGEST_LENGTH = 15
"""Most digits of a Content-Length."""

MOST_PARAMETERS = 600
"""Most parameters of a URL: 500 phrases and all other options. Parsing takes time, before anyone is identified."""

MOST_ETAGS = 100
"""Most entries of an ``If-None-Match`` that are compared."""

WAITING_BYTES = 262_144
"""Bytes of a body that are read ahead of the decoder, and one chunk more. uvicorn's have up to 320 kB."""

SLOWEST_DISCARDED = 62_500
"""Bytes per second, on average, at which a discarded body must arrive: 500 kbit/s, a phone in poor coverage.

The body has `max_audio_seconds` in addition, because a recording that is sent while it is spoken arrives at the pace
of speech. The host's largest body, 104,857,600 bytes, has 29 minutes. Kestrel itself requires 240 bytes per second.
"""

MOST_DISCARDED = 210_000_000
"""Most bytes of a discarded body: the largest request (learn.microsoft.com, Azure Functions, service limits)."""


class ClientGone(Exception):
    """The client has disconnected; a response would reach no one."""


class HttpRequest:
    """The only reader of a request: it provides the body as it arrives, and notices when the client disconnects.

    Starlette's streaming response watches for a disconnect by reading the request's channel itself, and would consume
    a body that is still arriving. This class reads the channel once for both.
    """

    def __init__(self, request: Request) -> None:
        self.method = request.method
        self.headers = request.headers
        self.path = request.path_params
        self.user_id = ""
        """The caller's id, empty until `identity.authenticate` sets it; `identity.user_id` reads it."""
        self.response_headers: dict[str, str] = {}
        """Headers that are added to the response, errors included."""
        self._query_string: bytes = request.scope.get("query_string", b"")
        self._receive = request.receive
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.waiting_bytes = 0
        """Bytes of the body that have been read and not been used."""
        self._has_room = asyncio.Event()
        self._gone: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._reading: asyncio.Task[None] | None = None
        self._release: Callable[[], None] | None = None
        self._complete = not self._announces_body()

    def _announces_body(self) -> bool:
        """Whether the headers announce a body (RFC 9112, 6)."""
        return "transfer-encoding" in self.headers or self.headers.get("content-length", "0").strip() != "0"

    @property
    def query(self) -> QueryParams:
        """The parameters of the URL; raises InvalidInput if there are more than `MOST_PARAMETERS`."""
        if self._query_string.count(b"&") >= MOST_PARAMETERS:
            raise InvalidInput(f"A URL may have at most {MOST_PARAMETERS} parameters. Send them in the body.")
        return QueryParams(self._query_string)

    @property
    def complete(self) -> bool:
        """Whether the body has been read to the end, or there is none."""
        return self._complete

    @property
    def content_type(self) -> str:
        """The body's media type without parameters, in lower case; empty without the header."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def has(self, etag: str) -> bool:
        """Whether the client has the version *etag* already (RFC 9110, 13.1.2).

        False when ``If-None-Match`` lists more than `MOST_ETAGS`.
        """
        header = self.headers.get("if-none-match", "")
        if header.count(",") > MOST_ETAGS:
            return False
        return header.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in header.split(",")]

    @property
    def content_length(self) -> int:
        """Announced size of the body in bytes, 0 without the header.

        Raises:
            InvalidInput: the header is not a decimal number of at most `LONGEST_LENGTH` digits.
        """
        length = self.headers.get("content-length", "0")
        if not (length.isascii() and length.isdecimal() and len(length) <= LONGEST_LENGTH):
            raise InvalidInput("The Content-Length is not a number of bytes.")
        return int(length)

    async def chunks(self, limit: int | None = None) -> AsyncGenerator[bytes]:
        """The body as it arrives, of at most *limit* bytes.

        Raises:
            TooLarge: ``body-too-large``, as soon as that is known.
            BodyStalled: a chunk, or the body, did not arrive in time.
            ClientGone: the client disconnected before the body's end.
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
        """The next chunk of the body, None after the last.

        Raises:
            BodyStalled: it did not arrive within *seconds*.
        """
        try:
            async with timeouts.timeout(seconds):
                chunk = await self._chunks.get()
        except TimeoutError as error:
            raise BodyStalled("The rest of the body did not arrive in time. Send the request again.") from error
        self._complete = self._complete or chunk is None
        self._count_waiting(-len(chunk or b""))
        return chunk

    def _count_waiting(self, size: int) -> None:
        self.waiting_bytes += size
        if self.waiting_bytes < WAITING_BYTES:
            self._has_room.set()
        else:
            self._has_room.clear()

    async def read(self, limit: int) -> bytes:
        """The complete body, of at most *limit* bytes; raises as `chunks` does."""
        return b"".join([chunk async for chunk in self.chunks(limit)])

    async def discard(self) -> bool:
        """Read the rest of the body and drop it. Whether its end came or the client disconnected.

        False after `body_stall_seconds` without a chunk, below `SLOWEST_DISCARDED`, and beyond `MOST_DISCARDED`.
        """
        self._start()
        stall_seconds, seconds = _discard_limits()
        discarded = 0
        with timeouts.running_time() as clock, suppress(BodyStalled):
            ends = clock() + seconds
            while discarded <= MOST_DISCARDED and not self._complete:
                arrived = len(await self._next(min(stall_seconds, ends - clock())) or b"")
                discarded += arrived
                ends += arrived / SLOWEST_DISCARDED
        return self._complete

    async def unless_gone(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of *work*, which is cancelled when the client disconnects.

        Raises:
            ClientGone: the client disconnected; *work* has ended.
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

    def hold(self, release: Callable[[], None]) -> None:
        """Call *release* when the body is no longer needed: at `release_body`, or at the end of the request."""
        self._release = release

    def release_body(self) -> None:
        """Report that nothing of the body is kept in memory."""
        self.take_release()()

    def take_release(self) -> Callable[[], None]:
        """The function to call when nothing of the body is kept in memory, instead of `release_body`."""
        release, self._release = self._release, None
        return release or (lambda: None)

    async def aclose(self) -> None:
        """Stop reading the request."""
        self.release_body()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _start(self) -> None:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        more = True
        self._count_waiting(0)
        while more:
            await self._has_room.wait()
            message = await self._receive()
            more = message["type"] == "http.request" and message.get("more_body", False)
            if body := message.get("body"):
                self._chunks.put_nowait(body)
                self._count_waiting(len(body))
            if message["type"] == "http.disconnect":
                self._gone.set_result(None)
        self._chunks.put_nowait(None)
        if not self._gone.done():
            await self._receive()
            self._gone.set_result(None)


def _discard_limits() -> tuple[float, float]:
    """Limits of a discarded body: seconds between two chunks, and seconds in all, to which each byte adds."""
    try:
        settings = wiring.app().settings
    except SettingsError:
        # The response reports this error, and must be completed like any other.
        return 10.0, 60.0
    return settings.body_stall_seconds, settings.max_audio_seconds


def _refuse_over(limit: int | None, size: int) -> None:
    if limit is not None and size > limit:
        detail = f"The body may have at most {limit} bytes; long recordings go through /clips."
        raise TooLarge(detail, code="body-too-large")
