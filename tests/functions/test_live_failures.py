"""A service that fails while the utterance is still being sent is reported as it is after its end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from emulators.script import Step
from fakes.sound import voice_like
from tests.conftest import ProductWith
from tests.functions.turns import RATE
from voice_core.audio import wav

pytestmark = pytest.mark.direct

SOUND = voice_like(0.1)

FAILURES = {
    "500": (Step(status=500, repeat=True), 502, "stage-failed", True),
    "401": (Step(status=401, repeat=True), 502, "stage-misconfigured", False),
    "429": (Step(status=429, repeat=True), 503, "stage-throttled", True),
    "cut": (Step(text="one two three four", drop_after=1, repeat=True), 502, "stage-failed", True),
}


async def spoken(ended: asyncio.Event) -> AsyncIterator[bytes]:
    """An utterance that continues, at twice the pace of speech, until the response has arrived."""
    yield wav.header(RATE)
    while not ended.is_set():
        yield SOUND
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), 0.05)


async def failed(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The problem document that is the response or the last event of its stream."""
    if response.content_type == "application/problem+json":
        return dict(json.loads(await response.content.readany()))
    async for line in response.content:
        if line.startswith(b"data:") and b'"error"' in line:
            return dict(json.loads(line[5:]))
    raise AssertionError("The stream ended without an error.")


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
@pytest.mark.parametrize(("step", "status", "code", "retryable"), FAILURES.values(), ids=FAILURES)
async def test_a_failure_in_mid_utterance_is_reported(
    product_with: ProductWith, accept: str, step: Step, status: int, code: str, retryable: bool
) -> None:
    """The response has the failure's own code and ``retryable``; a stream ends with the error."""
    product = await product_with(max_audio_seconds=600)
    product.services.speech.clear()
    product.services.speech.add("stt", step)
    ended = asyncio.Event()
    async with product.post("/process", data=spoken(ended), headers={"Accept": accept}) as response:
        problem = await failed(response)
        ended.set()

    assert (problem["status"], problem["code"], problem["stage"], problem["retryable"]) == (
        status,
        code,
        "stt",
        retryable,
    )
