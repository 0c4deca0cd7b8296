"""Responses that end after the request's body, so that the connection is not closed while the body still arrives.

Many clients send the complete body before they read the response. If the connection closes meanwhile, they report a
broken connection instead of the response, and the front of the Functions host reports 502. uvicorn closes the
connection after the response to a request with ``Connection: close``, and keeps it open otherwise.
"""

import logging
from contextvars import ContextVar

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from voice_core.functions.http.request import HttpRequest

_abandoned: ContextVar[bool] = ContextVar("abandoned", default=False)


class _BodyAbandoned(Exception):
    """The rest of the body came too slowly, or was too large, to wait for its end."""


class CompletedAfterBody(Response):
    """*response*, sent at once and in full, but completed only after the end of the *request*'s body.

    A client that reads while it sends receives the response at once. The connection closes when the rest of the body
    exceeds what `HttpRequest.discard` reads.
    """

    def __init__(self, response: Response, request: HttpRequest) -> None:
        super().__init__(status_code=response.status_code)
        self.raw_headers = response.raw_headers
        self._response = response
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_wait(message: Message) -> None:
            if _is_last(message) and not self._request.complete:
                await send({**message, "more_body": True})
                await self._read_on()
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        try:
            await self._response(scope, receive, send_and_wait)
        except _BodyAbandoned:
            _leave_incomplete()
        except Exception:
            # The stream broke off. The part that was sent must reach the client as well.
            await self._request.discard()
            raise
        finally:
            await self._request.aclose()

    async def _read_on(self) -> None:
        if not await self._request.discard():
            raise _BodyAbandoned


def _is_last(message: Message) -> bool:
    return message["type"] == "http.response.body" and not message.get("more_body", False)


def _leave_incomplete() -> None:
    """Make the server close the connection: it does so when an application returns in the middle of a response.

    The server also logs that as an error of the application. Here it is none, and any caller could fill the log with
    it, so the log line is suppressed.
    """
    _abandoned.set(True)
    logging.getLogger("uvicorn.error").addFilter(_unless_abandoned)


def _unless_abandoned(_record: logging.LogRecord) -> bool:
    return not _abandoned.get()
