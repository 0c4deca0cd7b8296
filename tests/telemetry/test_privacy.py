"""Users' words and secrets never leave the process as telemetry or log."""

import asyncio
import json
import logging
from typing import Any

import aiohttp
import pytest

from emulators.script import Step
from fakes.ingestion import ingesting
from tests.conftest import Product, ProductWith
from tests.functions.turns import recording
from tests.issuers import Issuer
from tests.telemetry.phone import WAV, Phone

SAID, REPLIED, TYPED, PHRASE, USER = "zebrafinch", "kingfisher", "nightjar", "woodpecker", "goldcrest-7f3a"
LANGUAGE, VOICE, UNKNOWN, KEY, ERROR = "xx-dotterel", "cormorant", "bittern", "guillemot", "whimbrel"
MARKERS = (
    SAID,
    REPLIED,
    TYPED,
    PHRASE,
    USER,
    LANGUAGE,
    VOICE,
    UNKNOWN,
    KEY,
    ERROR,
    "ice-ufrag",
    "a=fingerprint",
    "eyJ",
)
"""Words that occur nowhere else, names of secrets in SDP, and the beginning of every token."""


async def speak(product: Product) -> str:
    """Take turns with all markers in all inputs, valid and wrong ones; returns the bodies of all responses."""
    services, responses = product.services, ""
    services.speech.clear()
    services.speech.add("stt", Step(text=f"{SAID} please", repeat=True))
    services.speech.add("tts", Step(tone=True, repeat=True))
    services.openai.add("chat", Step(text=f"The {REPLIED} flies. It flies away.", repeat=True))
    for request in (
        {"data": recording(), "headers": WAV, "params": {"phrases": PHRASE}},
        {"json": {"text": TYPED}},
        {"json": {"text": TYPED}, "headers": {"Accept": "text/event-stream"}},
        {"json": {"text": TYPED, "voice": VOICE}},
        {"json": {"text": TYPED, UNKNOWN: UNKNOWN, "speech": UNKNOWN}},
        {"json": {"text": TYPED}, "headers": {"Idempotency-Key": KEY}},
        {"json": {"text": TYPED, "conversationId": UNKNOWN}},
        {"data": recording(), "headers": WAV, "params": {"language": LANGUAGE}},
        {"data": recording(0.02), "headers": WAV},
        {"data": TYPED.encode(), "headers": WAV},
    ):
        async with product.post("/process", **request) as response:
            responses += await response.text()
    return responses


async def fail(product: Product) -> None:
    """Let every provider fail, with a message that quotes the user."""
    services = product.services
    quoting = json.dumps({"error": {"message": f"{ERROR}: {TYPED} is not allowed", "code": ERROR}})
    for script, operation, status in (
        (services.openai, "chat", 400),
        (services.openai, "chat", 503),
        (services.speech, "tts", 400),
        (services.speech, "stt", 400),
    ):
        script.clear()
        script.add(operation, Step(status=status, body=quoting, repeat=True))
        async with product.post("/process", data=recording(), headers=WAV) as response:
            await response.read()
    services.openai.clear()
    services.openai.add("chat", Step(body=quoting, repeat=True))
    async with product.post("/process", json={"text": TYPED}) as response:
        await response.read()


async def test_user_words_and_secrets_never_leave_the_process(
    product_with: ProductWith, issuer: Issuer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unique words are sent through every input and failure; nothing that is exported or logged has one of them."""
    caplog.set_level(logging.INFO)
    async with ingesting() as ingestion:
        product = await product_with(
            applicationinsights_connection_string=ingestion.connection_string, **issuer.settings
        )
        signed_in = aiohttp.ClientSession(headers=issuer.headers(USER))
        known = Product(product.url, signed_in, product.services, product.app)
        responses = await speak(known)
        await fail(known)
        await Phone(product, issuer).call(USER)
        monkeypatch.setattr(product.app, "take_turn", broken)
        async with known.post("/process", json={"text": TYPED}) as response:
            assert response.status == 500
        await signed_in.close()
        await asyncio.to_thread(product.app.telemetry.close)

    assert [marker for marker in (SAID, REPLIED, TYPED, VOICE, LANGUAGE) if marker not in responses] == []
    exported = b"".join(ingestion.bodies).decode()
    logged = "\n".join(ours(record) for record in caplog.records)
    names = [row["Name"] for row in ingestion.rows("AppEvents")]
    assert names.count("VoiceProcessing") >= 10
    assert "SessionCompleted" in names
    assert "unexpected" in logged
    markers = {*MARKERS, *partitions(product)}
    assert [marker for marker in markers if marker in exported] == []
    assert [marker for marker in markers if marker in logged] == []


def partitions(product: Product) -> set[str]:
    """The users' ids in Cosmos DB."""
    keys = {served.facts["partition"] for served in product.services.cosmos.served} - {None}
    users = {user for key in keys for user in json.loads(key)}
    assert users
    return users


def broken(*_: Any) -> Any:
    raise RuntimeError(f"{ERROR}: {TYPED}")


def ours(record: logging.LogRecord) -> str:
    """A line of the log as the Functions host would store it; empty for lines of tests and emulators."""
    if record.name.startswith(("emulators", "local_host", "fakes", "uvicorn", "asyncio", "aiohttp")):
        return ""
    return logging.Formatter().format(record)


async def test_users_are_pseudonyms(product_with: ProductWith, issuer: Issuer) -> None:
    """A user has one pseudonym in a deployment, another user has another, and another salt changes all of them."""
    seen = []
    for salt in ("one", "other"):
        async with ingesting() as ingestion:
            there = {"applicationinsights_connection_string": ingestion.connection_string, "user_salt": salt}
            phone = Phone(await product_with(**there, **issuer.settings), issuer)
            for user in ("anna", "anna", "berta"):
                assert await phone.type(user) == 200
            await asyncio.to_thread(phone.product.app.telemetry.close)
            seen.append([row["UserId"] for row in ingestion.rows("AppEvents")])

    (first, again, berta), other = seen
    assert first == again != berta
    assert not {first, berta} & set(other)
    assert all(len(pseudonym) == 32 for pseudonym in (first, berta, *other))
