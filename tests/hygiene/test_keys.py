"""The keys of a deployment are used, and appear in no response and no log."""

import logging
from typing import Any

import pytest

from emulators.script import Step
from tests.conftest import Product, ProductWith
from tests.functions.turns import recording

KEYS = {"speech_key": "bullfinch-1", "openai_key": "chaffinch-2", "turn_secret": "greenfinch-3"}
COSMOS_KEY = "Z29sZGZpbmNoLTQtZ29sZGZpbmNo"
"""A key that the emulator does not know and therefore refuses."""

SHORT_DEADLINES = {"conversations_seconds": 0.2, "limits_seconds": 0.2, "stt_seconds": 2.0, "tts_seconds": 2.0}
"""Deadlines after which retries end."""

RELAY = {"turn_urls": "turns:relay.example.com:443?transport=tcp", **KEYS}

REQUESTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/process", {"json": {"text": "hi"}}),
    ("POST", "/process", {"json": {"text": "hi"}, "headers": {"Accept": "text/event-stream"}}),
    ("POST", "/process", {"data": recording(), "headers": {"Content-Type": "audio/wav"}}),
    ("POST", "/speak", {"json": {"text": "hi"}}),
    ("POST", "/session", {"json": {}}),
    ("POST", "/clips", {"json": {}}),
    ("GET", "/voices", {}),
    ("GET", "/conversations", {}),
    ("GET", "/health?deep=1", {}),
    ("GET", "/openapi.json", {}),
)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Records of all loggers, the vendors' too."""
    caplog.set_level(logging.INFO)
    return caplog


async def all_responses(product: Product) -> str:
    """All responses of the product, headers included."""
    text = ""
    for method, path, request in REQUESTS:
        async with product.http.request(method, f"{product.url}{path}", **request) as response:
            text += f"{response.headers}{await response.text(errors='replace')}"
    return text


def keys_in(text: str) -> list[str]:
    return [key for key in (*KEYS.values(), COSMOS_KEY) if key in text]


async def test_keys_are_not_disclosed(product_with: ProductWith, log: pytest.LogCaptureFixture) -> None:
    """Keys are used, and appear in no response and in no line of any log."""
    product = await product_with(**RELAY)

    assert keys_in(await all_responses(product)) == []
    assert keys_in(log.text) == []
    assert product.services.paid()


@pytest.mark.parametrize("status", [401, 500])
async def test_errors_do_not_disclose_keys(
    product_with: ProductWith, log: pytest.LogCaptureFixture, status: int
) -> None:
    """Keys appear nowhere either when a provider fails and quotes them in its error, as some do."""
    product = await product_with(**RELAY, **SHORT_DEADLINES, cosmos_key=COSMOS_KEY, breaker_failures=1000)
    quoting = f"Incorrect API key provided: {' '.join(KEYS.values())}."
    speech, openai = product.services.speech, product.services.openai
    speech.clear()
    for script, operation in ((openai, "chat"), (speech, "stt"), (speech, "tts")):
        script.add(operation, Step(status=status, body=quoting, repeat=True))

    assert keys_in(await all_responses(product)) == []
    assert keys_in(log.text) == []
    refused = [one.operation for one in (*speech.served, *openai.served) if one.outcome == f"status-{status}"]
    assert {*refused} >= {"chat", "stt", "tts"}
