"""Each kind of request has its own limit, on the complete product, and there is a daily quota of audio."""

import re
from dataclasses import replace

import pytest

from fakes.webrtc import Caller
from tests.conftest import Product, ProductWith
from tests.functions.calls import call, offer, speak
from tests.functions.rate_limits import limited, turn
from tests.functions.test_contract import validator
from tests.functions.turns import recording
from voice_core.audio import wav
from voice_core.wiring.limits import UserLimits


@pytest.mark.parametrize(
    ("setting", "path", "document", "status"),
    [
        ("transcripts_per_minute", "/transcribe", None, 200),
        ("speeches_per_minute", "/speak", {"text": "hi"}, 200),
    ],
)
async def test_transcripts_and_speeches_have_own_limits(
    product_with: ProductWith, setting: str, path: str, document: dict[str, str] | None, status: int
) -> None:
    """The second transcript or speech is refused at a limit of one; turns are not affected."""
    product, _ = await limited(product_with, **{setting: 1})
    sent = {"json": document} if document else {"data": recording()}
    statuses = []
    for _ in range(2):
        async with product.post(path, **sent) as response:
            statuses.append(response.status)

    assert statuses == [status, 429]
    assert (await turn(product))[0] == 200


async def test_sessions_have_a_limit(product_with: ProductWith) -> None:
    """Opening or preparing one more within the hour is refused."""
    product, clock = await limited(product_with, sessions_per_hour=1)
    async with call(product) as (_, _document):
        other = Caller()
        async with product.post("/session", json={"offer": await offer(other)}) as refused:
            assert refused.status == 429
            assert refused.headers["RateLimit"] == '"sessions";r=0;t=3601'
        async with product.post("/session", json={}) as prepared:
            assert prepared.status == 429
        clock.now += 3601
        async with product.post("/session", json={"offer": await offer(other)}) as admitted:
            assert admitted.status == 201
        await other.close()


async def test_a_turn_too_many_does_not_end_a_session(product_with: ProductWith) -> None:
    """The refusal is an error event on the data channel; after the wait the next turn is taken."""
    product, clock = await limited(product_with, turns_per_minute=1)
    async with call(product) as (caller, document):
        for expected in ("turn.done", "error"):
            caller.press()
            await speak(caller)
            caller.release()
            event = await caller.received(expected, 1)
        clock.now += event["retryAfter"]
        caller.press()
        await speak(caller)
        caller.release()
        await caller.received("turn.done", 2)
        async with product.get(f"/session/{document['sessionId']}") as response:
            assert (await response.json())["state"] == "connected"

    assert (event["code"], event["violated-policies"], event["retryable"]) == ("limit-reached", ["turns"], True)
    assert event["turnId"]
    assert len([served for served in product.services.openai.served if served.operation == "chat"]) == 2
    validator("Event").validate(event)


@pytest.mark.parametrize("path", ["/process?speech=none", "/transcribe"])
async def test_audio_counts_once_it_was_transcribed(product_with: ProductWith, path: str) -> None:
    """The utterance that reaches the daily quota is transcribed completely, the next is refused; text is admitted."""
    product, _ = await limited(product_with, turns_per_minute=9, audio_seconds_per_day=3)
    responses = []
    for _ in range(3):
        async with product.post(path, data=recording(2.0)) as response:
            responses.append((response.status, re.findall(r'"audio";r=(\d+)', response.headers["RateLimit"])))
        await product.app.user_limits.close()

    assert responses == [(200, ["3"]), (200, ["1"]), (429, ["0"])]
    assert (await turn(product))[0] == 200


async def test_silence_counts_as_audio(product_with: ProductWith) -> None:
    """Silence has to be read and decoded, so it counts although it is not sent to recognition."""
    product, _ = await limited(product_with)
    async with product.post("/process", data=wav.whole(bytes(64_000), 16_000)) as response:
        assert response.status == 422
    await product.app.user_limits.close()
    async with product.post("/process", data=recording()) as response:
        assert '"audio";r=14398' in response.headers["RateLimit"]


async def test_clips_have_a_limit(clip_product: Product) -> None:
    """The second clip within a day is refused at a limit of one."""
    app = clip_product.app
    app.user_limits = UserLimits(replace(app.settings, clips_per_day=1), app.usage)
    responses = []
    for _ in range(2):
        async with clip_product.post("/clips", json={}) as response:
            responses.append((response.status, response.headers["RateLimit-Policy"]))

    clips = '"clips";q=1;w=86400'
    assert responses == [(202, clips + ', "audio";q=14400;qu="seconds";w=86400'), (429, clips)]
