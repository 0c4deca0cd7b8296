"""A client that disconnects stops the work, as the emulators see it; `benchmarks.hangup` measures how soon."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from emulators.script import Script, ServedRequest, Step
from fakes.eventually import eventually
from fakes.hanging_up_client import Caller
from tests.conftest import WAYS, Product, Services, reached
from tests.functions.turns import recording
from voice_core.domain.conversation import Turn


@pytest.fixture
async def services(services: Services) -> Services:
    """The services with a product that has no timeouts: only the disconnect can end its calls."""
    never = 1000.0
    without_timeouts = replace(
        services.settings, stt_seconds=never, assistant_seconds=never, tts_seconds=never, body_stall_seconds=never
    )
    return replace(services, settings=without_timeouts)


@pytest.fixture(params=WAYS)
async def product(product: Product, request: pytest.FixtureRequest) -> AsyncIterator[Product]:
    async with reached(product, request.param) as one:
        yield one


def latest(script: Script, operation: str) -> ServedRequest | None:
    return next((served for served in reversed(script.served) if served.operation == operation), None)


async def ended(script: Script, operation: str) -> ServedRequest:
    """The latest request of *operation* once it has ended."""
    served = latest(script, operation)
    assert served is not None
    await eventually(lambda: served.ended is not None)
    return served


async def stopped(script: Script, operation: str) -> None:
    """Wait until the latest request of *operation* was ended in the middle of its work."""
    assert (await ended(script, operation)).outcome in ("cancelled", "hung")


async def eventually_stored(product: Product) -> Turn:
    """The stored turn, with the part of the reply that was delivered; waits until it is stored."""
    await eventually(lambda: latest(product.services.cosmos, "batch"))
    batch = latest(product.services.cosmos, "batch")
    assert batch is not None
    await eventually(lambda: batch.ended)
    page = await product.app.conversations.list("local", 1, None)
    turns = await product.app.conversations.turns("local", page.items[0].id, 1, None)
    return turns.items[0]


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", "audio/wav"])
async def test_a_disconnect_before_the_first_token_stops_the_model(product: Product, accept: str) -> None:
    """The assistant's request ends before its first token, in every form of response."""
    product.services.openai.add("chat", Step(hang=True))
    caller = Caller(product.url)
    await caller.call(json.dumps({"text": "hi"}).encode(), accept=accept)
    await eventually(lambda: latest(product.services.openai, "chat"))

    caller.disconnect()

    await stopped(product.services.openai, "chat")


async def test_a_disconnect_between_tokens_stops_the_model(product: Product) -> None:
    """The assistant's request ends between two tokens; the delivered part of the reply is stored."""
    product.services.openai.add("chat", Step(text="one two three four", tokens_per_second=0.001))
    caller = Caller(product.url)
    await caller.call(json.dumps({"text": "hi", "speech": "none"}).encode())
    await caller.until(b"one")

    caller.disconnect()

    await stopped(product.services.openai, "chat")
    stored = await eventually_stored(product)
    assert (stored.reply, stored.interrupted) == ("one", True)


async def test_a_disconnect_stops_the_synthesis(product: Product) -> None:
    """The synthesis ends in the middle of a sentence."""
    product.services.speech.clear()
    product.services.speech.add("tts", Step(tone=True, real_time_factor=0.5, repeat=True))
    caller = Caller(product.url)
    await caller.call(json.dumps({"text": "hi"}).encode())
    await caller.until(b"speech.audio.delta")

    caller.disconnect()

    await stopped(product.services.speech, "tts")


async def test_a_disconnect_stops_the_recognition(product: Product) -> None:
    """The recognition ends in the middle of the utterance; nothing is stored."""
    caller = Caller(product.url)
    whole = recording(4.0)
    await caller.call(whole[: len(whole) // 2], promised=len(whole))
    await eventually(lambda: latest(product.services.speech, "stt"))

    caller.disconnect()

    await ended(product.services.speech, "stt")
    assert not product.services.openai.served
    async with product.get("/conversations") as response:
        assert (await response.json())["conversations"] == []
