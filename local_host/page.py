"""Serves the files of clients/web at ``/`` with the security headers that docs/web.md requires of a host."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

CONTENT_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Content types by file suffix; files with another suffix are not served."""


def page_headers(storage_url: str) -> Mapping[str, str]:
    """The headers of docs/web.md. The page uploads recordings to *storage_url*, if that is set."""
    return {
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self'",
                "media-src 'self'",
                " ".join(("connect-src 'self'", *_origin(storage_url))),
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
            )
        ),
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }


def page_routes(folder: Path) -> Sequence[Route]:
    """One route for each file of *folder*, and ``/`` for its index.html; none when there is no such folder.

    The files are listed once, here, so no request path ever reaches the file system.
    """
    files = [file for file in sorted(folder.glob("*")) if file.suffix in CONTENT_TYPES]
    headers = page_headers(os.environ.get("STORAGE_URL", ""))
    routes = [Route(f"/{file.name}", _sender(file, headers)) for file in files]
    return [*routes, *(Route("/", _sender(file, headers)) for file in files if file.name == "index.html")]


def _origin(url: str) -> Sequence[str]:
    """The origin of an absolute *url* as a list of one; empty for another *url*."""
    parts = urlsplit(url)
    return [f"{parts.scheme}://{parts.netloc}"] if parts.netloc else []


def _sender(file: Path, headers: Mapping[str, str]) -> Callable[[Request], Awaitable[Response]]:
    async def send(_request: Request) -> Response:
        return FileResponse(file, headers=dict(headers), media_type=CONTENT_TYPES[file.suffix])

    return send
