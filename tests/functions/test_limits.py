"""How much each user may do, on the whole product: what is refused, what is told, and when it is true."""

import re

import pytest

from emulators.script import Step
from tests.conftest import ProductWith
from tests.functions.limited import limited, turn
from tests.functions.test_contract import validator
from tests.functions.turns import recording
from voice_core import wiring
from voice_core.wiring.limits import Quotas


async def test_the_answer_tells_what_is_left(product_with: ProductWith) -> None:
    """The limit, and how much of it there is until when; a refusal tells the same and when to come back."""
    product, clock = await limited(product_with)
    seen = []
    for _ in range(3):
        status, headers, _ = await turn(product)
        seen.append((status, headers["RateLimit-Policy"], headers["RateLimit"], headers.get("Retry-After")))
        clock.now += 10

    policy = '"turns";q=2;w=60'
    assert seen == [
        (200, policy, '"turns";r=1;t=61', None),
        (200, policy, '"turns";r=0;t=51', None),
        (429, policy, '"turns";r=0;t=41', "41"),
    ]


async def test_a_wait_as_told_is_enough_and_not_much_too_long(product_with: ProductWith) -> None:
    """At Retry-After the same request is admitted; two seconds before it was not."""
    product, clock = await limited(product_with)
    clock.now += 0.25
    await turn(product)
    await turn(product)
    clock.now += 0.5
    _, headers, _ = await turn(product)
    told = int(headers["Retry-After"])

    clock.now += told - 2
    assert (await turn(product))[0] == 429
    clock.now += 2
    assert (await turn(product))[0] == 200


async def test_a_refusal_says_which_limit(product_with: ProductWith) -> None:
    """As a problem document that a person can read, too; nobody was paid."""
    product, _ = await limited(product_with)
    await turn(product)
    await turn(product)
    product.services.openai.served.clear()
    status, _, problem = await turn(product)

    assert status == 429
    assert (problem["code"], problem["retryable"]) == ("limit-reached", True)
    assert problem["detail"] == "You may have 2 turns within a minute. Go on in 61 s."
    assert problem["violated-policies"] == ["turns"]
    assert not product.services.openai.served
    validator("Problem").validate(problem)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "application/x-ndjson", "audio/wav"])
async def test_every_answer_to_a_turn_tells(product_with: ProductWith, accept: str) -> None:
    """Streams too, with their first byte."""
    product, _ = await limited(product_with)
    told = []
    for _ in range(3):
        async with product.post("/process", data=recording(), headers={"Accept": accept}) as response:
            told.append((response.status, re.findall(r"r=\d+", response.headers["RateLimit"])))
            await response.read()
        await product.app.quotas.close()

    assert told == [(200, ["r=1", "r=14400"]), (200, ["r=0", "r=14399"]), (429, ["r=0"])]


async def test_an_error_tells_too(product_with: ProductWith) -> None:
    """A turn that failed was one."""
    product, _ = await limited(product_with)
    product.services.openai.add("chat", Step(status=500, repeat=True))
    status, headers, _ = await turn(product)

    assert status == 502
    assert headers["RateLimit"] == '"turns";r=1;t=61'


async def test_what_is_no_turn_is_not_counted(product_with: ProductWith) -> None:
    """A request that makes no sense uses nothing up, and tells nothing."""
    product, _ = await limited(product_with)
    for document in ({}, {"text": " "}, {"text": "hi", "voice": 1}):
        async with product.post("/process", json=document) as response:
            assert response.status == 400
            assert "RateLimit" not in response.headers
    assert (await turn(product))[1]["RateLimit"] == '"turns";r=1;t=61'


async def test_a_hammering_client_costs_nothing(product_with: ProductWith) -> None:
    """The worker knows until when it is in vain: not one operation in Cosmos."""
    product, _ = await limited(product_with)
    await turn(product)
    await turn(product)
    product.services.cosmos.served.clear()
    statuses = [(await turn(product))[0] for _ in range(20)]

    assert statuses == [429] * 20
    assert not product.services.cosmos.served


async def test_workers_agree(product_with: ProductWith) -> None:
    """A turn taken by one worker counts at another."""
    product, clock = await limited(product_with)
    await turn(product)
    other = wiring.App(product.app.settings)
    elsewhere = Quotas(other.settings, other.admissions, clock).rate_limiter
    try:
        assert (await elsewhere.admit("local", "turns", hears=False)).admitted
        assert (await turn(product))[0] == 429
        assert not (await elsewhere.admit("local", "turns", hears=False)).admitted
    finally:
        await other.close()


@pytest.mark.parametrize(("when_down", "status"), [("open", 200), ("closed", 503)])
async def test_whether_to_admit_when_nobody_counts_is_a_choice(
    product_with: ProductWith, caplog: pytest.LogCaptureFixture, when_down: str, status: int
) -> None:
    """Either way the operator hears of it, and nothing untrue is told."""
    product, _ = await limited(product_with, limits_when_down=when_down)
    await turn(product)
    product.services.cosmos.add("patch", Step(status=503, repeat=True))
    with caplog.at_level("INFO", logger="voice"):
        answered, headers, document = await turn(product)

    assert answered == status
    assert "RateLimit" not in headers
    (event,) = [record.message for record in caplog.records if record.message.startswith("limits-down ")]
    assert f"limit=turns admitted={when_down == 'open'} " in event
    if status == 503:
        assert (document["stage"], document["retryable"]) == ("limits", True)


async def test_a_refusal_is_told_to_the_operator(product_with: ProductWith, caplog: pytest.LogCaptureFixture) -> None:
    """Which limit it was, and not whose."""
    product, _ = await limited(product_with)
    with caplog.at_level("INFO", logger="voice"):
        for _ in range(3):
            await turn(product)

    (event,) = [record for record in caplog.records if record.message.startswith("limited ")]
    assert event.message.endswith(" limit=turns")
