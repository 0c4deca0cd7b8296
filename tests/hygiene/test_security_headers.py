"""What browsers are told about every answer."""

from typing import Any

import pytest

from tests.conftest import Product
from voice_core.functions.http.security_headers import EXPOSED
from voice_core.functions.openapi.document import contract

SAFELISTED = {"Cache-Control", "Content-Length", "Content-Type", "Expires", "Last-Modified"}
"""Fields that any page may read (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name)."""

CAREFUL = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}

ANSWERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a turn": ("POST", "/process", {"json": {"text": "hi"}}),
    "a turn's events": ("POST", "/process", {"json": {"text": "hi"}, "headers": {"Accept": "text/event-stream"}}),
    "a turn's sound": ("POST", "/process", {"json": {"text": "hi"}, "headers": {"Accept": "audio/wav"}}),
    "a refusal": ("POST", "/process", {"json": {}}),
    "nothing found": ("GET", "/conversations/nobodys", {}),
    "a list": ("GET", "/conversations", {}),
    "the contract": ("GET", "/openapi.json", {}),
    "health": ("GET", "/health", {}),
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_browsers_and_caches_are_careful(product: Product, answer: str) -> None:
    """No answer is kept, guessed at, framed, or run as a page."""
    method, path, request = ANSWERS[answer]
    async with product.http.request(method, f"{product.url}{path}", **request) as response:
        await response.read()

    assert {name: response.headers.get(name) for name in CAREFUL} == CAREFUL


def test_pages_may_read_all_that_the_contract_tells() -> None:
    """Every header of an answer that the contract names is one that a page of another origin may read."""
    named = {
        header
        for operations in contract()["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for header in response.get("headers", {})
    }

    assert named - SAFELISTED <= set(EXPOSED)
