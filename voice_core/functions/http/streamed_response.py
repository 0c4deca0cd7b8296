"""A response that is sent while it is produced."""

from collections.abc import AsyncGenerator

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from voice_core.functions.http.request import ClientGone, HttpRequest


class StreamedResponse(Response):
    """Sends *chunks* as they are produced, and stops producing them when the client disconnects."""

    def __init__(
        self, request: HttpRequest, chunks: AsyncGenerator[bytes], media_type: str, headers: dict[str, str]
    ) -> None:
        super().__init__(None, 200, {"X-Accel-Buffering": "no"} | headers, media_type)
        del self.headers["content-length"]
        self._request = request
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._request.unless_gone(self._send_all(send))
        except ClientGone:
            return
        finally:
            await self._chunks.aclose()

    async def _send_all(self, send: Send) -> None:
        async for chunk in self._chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
