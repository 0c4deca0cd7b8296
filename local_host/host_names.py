"""Refuses requests that were sent to another name than this machine's.

A page of any site can let its own name point to 127.0.0.1 (DNS rebinding). For the browser, the product is then of that
page's origin, and the page may do and read everything. Only the ``Host`` header shows the difference. Behind
`local_host.front`, the client's is in ``X-Forwarded-Host``.
"""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine, as a ``Host`` has them."""

FIELDS = ("host", "x-forwarded-host")
"""Header fields with the name that a request was sent to."""


class HostNames:
    """ASGI middleware that serves *app* under the names in `LOCAL` and *more*, which are separated by commas."""

    def __init__(self, app: ASGIApp, more: str) -> None:
        self._app = app
        self._names = {*LOCAL, *(name.strip().lower() for name in more.split(",") if name.strip())}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if scope["type"] == "http" and not all(self._knows(headers.getlist(field)) for field in FIELDS):
            await _refusal()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _knows(self, hosts: list[str]) -> bool:
        """Whether the one header has a known name. HTTP/1.0 without a ``Host`` is no browser's."""
        return not hosts or (len(hosts) == 1 and _name(hosts[0]) in self._names)


def _name(host: str) -> str:
    """The name in a ``Host`` header, without its port."""
    name, _, port = host.strip().lower().rpartition(":")
    return name if name and port.isdecimal() else host.strip().lower()


def _refusal() -> JSONResponse:
    document = {
        "type": "about:blank",
        "title": "Unknown host name",
        "status": 421,
        "detail": "Use http://127.0.0.1, or list this name in LOCAL_HOST_NAMES (docs/settings.md).",
        "code": "host-unknown",
        "retryable": False,
    }
    return JSONResponse(document, 421, media_type="application/problem+json")
