"""One request and its response, through the front."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from urllib.parse import SplitResult

import h11

from local_host.front.client import Client, ClientGone
from local_host.front.fields import back, has_body, onward, states_two_lengths
from local_host.front.limits import Limits
from local_host.front.worker import Attempt, WorkerFailure, attempt

Pause = Callable[[float], Awaitable[object]]

REPEATED_AT_ONCE = (b"DELETE", b"GET", b"HEAD", b"OPTIONS")
"""Methods that .NET's HTTP client itself repeats after an orderly close."""


@dataclass(frozen=True, slots=True)
class Worker:
    """The worker, and how requests are delivered to it."""

    url: SplitResult
    limits: Limits
    pause: Pause


class Exchange:
    """Delivers *request* of *client* to *worker*, again if that fails, and passes the response back."""

    def __init__(self, client: Client, request: h11.Request, worker: Worker) -> None:
        self._client = client
        self._worker = worker
        self._request = onward(request, worker.url.netloc.encode(), client.address)
        self._has_body = has_body(request)
        self._closes = states_two_lengths(request)
        self._body_begun = False

    async def run(self) -> None:
        """Serve the request until the response is complete.

        Raises:
            ClientGone: the client hung up; the connection to the worker is closed.
            Refusal: the body is too slow or too large.
            ResponseCut: the response could not be completed.
        """
        serving = asyncio.create_task(self._serve())
        leaving = asyncio.create_task(self._client.gone.wait())
        try:
            await asyncio.wait({serving, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                raise ClientGone
            serving.result()
        finally:
            serving.cancel()
            leaving.cancel()
            await asyncio.gather(serving, leaving, return_exceptions=True)

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            try:
                response, sent = await self._deliver(stack)
            except WorkerFailure:
                await self._client.respond(502)
                return
            await self._client.send(back(response, closes=self._closes))
            async with aclosing(sent.content()) as content:
                async for piece in content:
                    await self._client.send(h11.Data(data=piece))
            await self._client.send(h11.EndOfMessage())

    async def _deliver(self, stack: AsyncExitStack) -> tuple[h11.Response, Attempt]:
        """The head of the response, and the attempt that got it, open until *stack* closes."""
        limits = self._worker.limits
        seconds = limits.first_pause_seconds
        for _ in range(limits.attempts - 1):
            try:
                return await self._attempt_with_repeats(stack)
            except WorkerFailure:
                await self._worker.pause(seconds)
                seconds = min(2 * seconds, limits.longest_pause_seconds)
        return await self._attempt_with_repeats(stack)

    async def _attempt_with_repeats(self, stack: AsyncExitStack) -> tuple[h11.Response, Attempt]:
        repeats = self._worker.limits.orderly_attempts if self._is_repeated_at_once else 1
        for _ in range(repeats - 1):
            try:
                return await self._attempt(stack)
            except WorkerFailure as failure:
                if not failure.orderly:
                    raise
        return await self._attempt(stack)

    @property
    def _is_repeated_at_once(self) -> bool:
        return not self._has_body and self._request.method in REPEATED_AT_ONCE

    async def _attempt(self, stack: AsyncExitStack) -> tuple[h11.Response, Attempt]:
        if self._body_begun:
            # The body has been read, and cannot be sent again.
            raise WorkerFailure
        async with AsyncExitStack() as opened:
            url = self._worker.url
            sent = await opened.enter_async_context(attempt(url.hostname or "", url.port or 80, self._worker.limits))
            async with aclosing(self._body()) as body:
                await sent.send(self._request, body)
            response = await sent.head()
            await stack.enter_async_context(opened.pop_all())
        return response, sent

    async def _body(self) -> AsyncGenerator[bytes]:
        self._body_begun = self._has_body
        async with aclosing(self._client.body()) as pieces:
            async for piece in pieces:
                yield piece
