"""The keys of a deployment: used, and told to nobody."""

import logging
from typing import Any

import pytest

from emulators.script import Step
from tests.conftest import Product, ProductWith
from tests.functions.turns import recording

KEYS = {"speech_key": "bullfinch-1", "openai_key": "chaffinch-2", "turn_secret": "greenfinch-3"}
COSMOS_KEY = "Z29sZGZpbmNoLTQtZ29sZGZpbmNo"
"""No key of the emulator's, which therefore refuses."""

HASTY = {"conversations_seconds": 0.2, "limits_seconds": 0.2, "stt_seconds": 2.0, "tts_seconds": 2.0}
"""Deadlines by which retries end."""

RELAY = {"turn_urls": "turns:relay.example.com:443?transport=tcp", **KEYS}

ASKED: tuple[tuple[str, str, dict[str, Any]], ...] = (
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
    """Of all loggers, the vendors' too."""
    caplog.set_level(logging.INFO)
    return caplog


async def answers(product: Product) -> str:
    """All that the product tells, heads included."""
    told = ""
    for method, path, request in ASKED:
        async with product.http.request(method, f"{product.url}{path}", **request) as response:
            told += f"{response.headers}{await response.text(errors='replace')}"
    return told


def told_in(text: str) -> list[str]:
    return [key for key in (*KEYS.values(), COSMOS_KEY) if key in text]


async def test_keys_are_not_told(product_with: ProductWith, log: pytest.LogCaptureFixture) -> None:
    """They are used, and stand in no answer and no line of any log."""
    product = await product_with(**RELAY)

    assert told_in(await answers(product)) == []
    assert told_in(log.text) == []
    assert product.services.paid()


@pytest.mark.parametrize("status", [401, 500])
async def test_keys_are_not_told_by_who_refuses_them(
    product_with: ProductWith, log: pytest.LogCaptureFixture, status: int
) -> None:
    """Nor when providers fail, and quote the key as some do."""
    product = await product_with(**RELAY, **HASTY, cosmos_key=COSMOS_KEY, breaker_failures=1000)
    quoting = f"Incorrect API key provided: {' '.join(KEYS.values())}."
    speech, openai = product.services.speech, product.services.openai
    speech.clear()
    for script, operation in ((openai, "chat"), (speech, "stt"), (speech, "tts")):
        script.add(operation, Step(status=status, body=quoting, repeat=True))

    assert told_in(await answers(product)) == []
    assert told_in(log.text) == []
    refused = [one.operation for one in (*speech.served, *openai.served) if one.outcome == f"status-{status}"]
    assert {*refused} >= {"chat", "stt", "tts"}
