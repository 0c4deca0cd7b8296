"""Security and cache headers of every response."""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of the OWASP REST Security cheat sheet; a response that is opened as a page can load and run nothing."""

EXPOSED = (
    *("Accept-Encoding", "Accept-Ranges", "Content-Range", "ETag", "Idempotency-Replayed", "Link", "Location"),
    *("RateLimit", "RateLimit-Policy", "Retry-After", "Server-Timing", "WWW-Authenticate"),
    *("X-Conversation-Id", "X-Request-Id", "X-Turn-Id"),
)
"""Response headers that a page of another origin may read, if the platform's CORS settings allow that origin.

The platform has no setting for them (https://github.com/Azure/azure-functions-core-tools/issues/3740).
"""


def add_security_headers(response_headers: MutableHeaders, request_headers: Headers) -> None:
    """Add the security headers to *response_headers*, and ``no-store`` unless the handler set ``Cache-Control``."""
    response_headers.update(SECURITY_HEADERS)
    response_headers.setdefault("Cache-Control", "no-store")
    if "origin" in request_headers:
        response_headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED)
