"""Trailers of a chunked request (RFC 9110, 6.5) do not count as its headers.

uvicorn adds them to the headers of a request when it parses with httptools; with h11 it drops them. A caller could set
``X-MS-CLIENT-PRINCIPAL`` in one, after a front end has removed that name from the headers.
"""

from functools import wraps
from typing import Any


class _Complete(list[tuple[bytes, bytes]]):
    """Complete headers, to which nothing can be appended."""

    def append(self, _header: tuple[bytes, bytes]) -> None:
        """Drop a trailer."""


def drop_trailers() -> None:
    """Let no trailer reach the headers of a request, on any server of this process."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        return
    completed = HttpToolsProtocol.on_headers_complete
    if getattr(completed, "_drops_trailers", False):
        return

    @wraps(completed)
    def on_headers_complete(self: Any) -> None:
        completed(self)
        self.headers = _Complete(self.headers)

    on_headers_complete._drops_trailers = True  # type: ignore[attr-defined]
    HttpToolsProtocol.on_headers_complete = on_headers_complete  # type: ignore[method-assign]
