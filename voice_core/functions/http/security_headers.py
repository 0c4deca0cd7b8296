"""What every answer has besides what it says: the fields by which browsers and caches are careful with it."""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders

CAREFUL: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
"""Of the OWASP REST Security cheat sheet; an answer that is opened as a page can do nothing."""

EXPOSED = (
    *("Accept-Ranges", "Content-Range", "ETag", "Idempotency-Replayed", "Link", "Location"),
    *("RateLimit", "RateLimit-Policy", "Retry-After", "Server-Timing", "WWW-Authenticate"),
    *("X-Conversation-Id", "X-Request-Id", "X-Turn-Id"),
)
"""Fields that a page of another origin may read, where the platform lets that origin in at all: it cannot say this
itself (https://github.com/Azure/azure-functions-core-tools/issues/3740)."""


def add_security_headers(answer: MutableHeaders, asked: Headers) -> None:
    """Add to the headers of an *answer*, which nobody keeps unless its handler said otherwise."""
    answer.update(CAREFUL)
    answer.setdefault("Cache-Control", "no-store")
    if "origin" in asked:
        answer["Access-Control-Expose-Headers"] = ", ".join(EXPOSED)
