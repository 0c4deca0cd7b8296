"""A client that hangs up stops the work, as the emulators see it; how soon, `benchmarks.hangup` tells."""

import json
from dataclasses import replace

import pytest

from emulators.script import Script, Served, Step
from tests.conftest import Product, Services
from tests.eventually import eventually
from tests.functions.turns import recording
from tests.hanging_up_client import Caller
from voice_core.domain.conversation import Turn


@pytest.fixture
async def services(services: Services) -> Services:
    """With a product that gives nobody up: only the hang-up can end what it asks for."""
    never = 1000.0
    patient = replace(
        services.settings, stt_seconds=never, assistant_seconds=never, tts_seconds=never, body_stall_seconds=never
    )
    return replace(services, settings=patient)


def latest(script: Script, operation: str) -> Served | None:
    return next((served for served in reversed(script.served) if served.operation == operation), None)


async def ended(script: Script, operation: str) -> Served:
    """The latest request of *operation* once it has ended."""
    served = latest(script, operation)
    assert served is not None
    await eventually(lambda: served.ended is not None)
    return served


async def stopped(script: Script, operation: str) -> None:
    """Likewise, in the middle of its work."""
    assert (await ended(script, operation)).outcome in ("cancelled", "hung")


async def eventually_kept(product: Product) -> Turn:
    """The turn that the conversation keeps of what was delivered, once it is there."""
    await eventually(lambda: latest(product.services.cosmos, "batch"))
    batch = latest(product.services.cosmos, "batch")
    assert batch is not None
    await eventually(lambda: batch.ended)
    page = await product.app.conversations.list("local", 1, None)
    turns = await product.app.conversations.turns("local", page.items[0].id, 1, None)
    return turns.items[0]


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", "audio/wav"])
async def test_hanging_up_while_the_assistant_thinks_stops_it(product: Product, accept: str) -> None:
    """Before the first token, however the answer was to come."""
    product.services.openai.add("chat", Step(hang=True))
    caller = Caller(product.url)
    await caller.call(json.dumps({"text": "hi"}).encode(), accept=accept)
    await eventually(lambda: latest(product.services.openai, "chat"))

    caller.hang_up()

    await stopped(product.services.openai, "chat")


async def test_hanging_up_while_the_assistant_writes_stops_it(product: Product) -> None:
    """Between two tokens; the conversation keeps what was delivered."""
    product.services.openai.add("chat", Step(text="one two three four", tokens_per_second=0.001))
    caller = Caller(product.url)
    await caller.call(json.dumps({"text": "hi", "speech": "none"}).encode())
    await caller.until(b"one")

    caller.hang_up()

    await stopped(product.services.openai, "chat")
    kept = await eventually_kept(product)
    assert (kept.reply, kept.interrupted) == ("one", True)


async def test_hanging_up_while_it_speaks_stops_the_synthesis(product: Product) -> None:
    """In the middle of a sentence's speech."""
    product.services.speech.clear()
    product.services.speech.add("tts", Step(tone=True, real_time_factor=0.5, repeat=True))
    caller = Caller(product.url)
    await caller.call(json.dumps({"text": "hi"}).encode())
    await caller.until(b"speech.audio.delta")

    caller.hang_up()

    await stopped(product.services.speech, "tts")


async def test_hanging_up_while_speaking_stops_the_recognition(product: Product) -> None:
    """In the middle of the utterance; nothing is kept."""
    caller = Caller(product.url)
    whole = recording(4.0)
    await caller.call(whole[: len(whole) // 2], promised=len(whole))
    await eventually(lambda: latest(product.services.speech, "stt"))

    caller.hang_up()

    await ended(product.services.speech, "stt")
    assert not product.services.openai.served
    async with product.get("/conversations") as response:
        assert (await response.json())["conversations"] == []
