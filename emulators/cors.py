"""Cross-origin requests as Core Tools answers them, by ``Host.CORS`` of local.settings.json: without it there are none.

Any header and any method of an origin that is named; preflights never reach the app. In Azure the platform does the
same by the app's own CORS setting. Core Tools leaves it to https://learn.microsoft.com/aspnet/core/security/cors
(``Startup.Configure`` of https://github.com/Azure/azure-functions-core-tools).
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANY = "*"


class Cors:
    """*app* for pages of *origins* besides its own."""

    def __init__(self, app: ASGIApp, origins: str, *, credentials: bool = False) -> None:
        """*origins* are separated by commas; ``*`` is all of them."""
        self._app = app
        self._origins = [origin.strip() for origin in origins.split(",") if origin.strip()]
        self._credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if not self._origins or "origin" not in asked:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in asked:
            await Response(status_code=204, headers=self._preflight(asked))(scope, receive, send)
        else:

            async def send_allowed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message).update(self._allowed(asked["origin"]))
                await send(message)

            await self._app(scope, receive, send_allowed)

    def _allowed(self, origin: str) -> dict[str, str]:
        """What a page of *origin* is told; nothing, if it may not read."""
        if origin not in self._origins and ANY not in self._origins:
            return {}
        told = {"Access-Control-Allow-Origin": ANY if ANY in self._origins else origin}
        if len(self._origins) > 1:
            told["Vary"] = "Origin"
        return told | ({"Access-Control-Allow-Credentials": "true"} if self._credentials else {})

    def _preflight(self, asked: Headers) -> dict[str, str]:
        told = self._allowed(asked["origin"])
        if told:
            told["Access-Control-Allow-Methods"] = asked["access-control-request-method"]
            if headers := asked.get("access-control-request-headers"):
                told["Access-Control-Allow-Headers"] = headers
        return told
