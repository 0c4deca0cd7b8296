"""Security and cache headers of every response."""

from typing import Any

import pytest

from tests.conftest import Product
from voice_core.functions.http.security_headers import EXPOSED
from voice_core.functions.openapi.document import contract

SAFELISTED = {"Cache-Control", "Content-Length", "Content-Type", "Expires", "Last-Modified"}
"""Fields that any page may read (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name)."""

EXPECTED = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}

REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a turn": ("POST", "/process", {"json": {"text": "hi"}}),
    "a turn's events": ("POST", "/process", {"json": {"text": "hi"}, "headers": {"Accept": "text/event-stream"}}),
    "a turn's sound": ("POST", "/process", {"json": {"text": "hi"}, "headers": {"Accept": "audio/wav"}}),
    "a refusal": ("POST", "/process", {"json": {}}),
    "nothing found": ("GET", "/conversations/nobodys", {}),
    "a list": ("GET", "/conversations", {}),
    "the contract": ("GET", "/openapi.json", {}),
    "health": ("GET", "/health", {}),
}


@pytest.mark.parametrize("kind", REQUESTS)
async def test_every_response_has_security_headers(product: Product, kind: str) -> None:
    """No response may be cached, sniffed, framed, or executed as a page."""
    method, path, request = REQUESTS[kind]
    async with product.http.request(method, f"{product.url}{path}", **request) as response:
        await response.read()

    assert {name: response.headers.get(name) for name in EXPECTED} == EXPECTED


def test_pages_may_read_all_headers_of_the_contract() -> None:
    """A page of an allowed origin may read every response header that the contract names."""
    named = {
        header
        for operations in contract()["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for header in response.get("headers", {})
    }

    assert named - SAFELISTED <= set(EXPOSED)
