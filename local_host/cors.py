"""Cross-origin requests as Core Tools handles them, by ``Host.CORS`` of local.settings.json; none without that setting.

A listed origin may use any header and any method; preflights never reach the app. In Azure the platform does the same
by the app's own CORS setting. Core Tools uses https://learn.microsoft.com/aspnet/core/security/cors
(``Startup.Configure`` of https://github.com/Azure/azure-functions-core-tools).
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANY = "*"


class Cors:
    """ASGI middleware that opens *app* to pages of *origins*, in addition to its own."""

    def __init__(self, app: ASGIApp, origins: str, *, credentials: bool = False) -> None:
        """*origins* are separated by commas; ``*`` is all of them."""
        self._app = app
        self._origins = [origin.strip() for origin in origins.split(",") if origin.strip()]
        self._credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if not self._origins or "origin" not in request_headers:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in request_headers:
            await Response(status_code=204, headers=self._preflight(request_headers))(scope, receive, send)
        else:

            async def send_allowed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message).update(self._allowed(request_headers["origin"]))
                await send(message)

            await self._app(scope, receive, send_allowed)

    def _allowed(self, origin: str) -> dict[str, str]:
        """The CORS headers for a page of *origin*; empty if it may not read the response."""
        if origin not in self._origins and ANY not in self._origins:
            return {}
        allowed = {"Access-Control-Allow-Origin": ANY if ANY in self._origins else origin}
        if len(self._origins) > 1:
            allowed["Vary"] = "Origin"
        return allowed | ({"Access-Control-Allow-Credentials": "true"} if self._credentials else {})

    def _preflight(self, request_headers: Headers) -> dict[str, str]:
        allowed = self._allowed(request_headers["origin"])
        if allowed:
            allowed["Access-Control-Allow-Methods"] = request_headers["access-control-request-method"]
            if headers := request_headers.get("access-control-request-headers"):
                allowed["Access-Control-Allow-Headers"] = headers
        return allowed
