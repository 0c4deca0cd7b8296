"""Rate limits per user, on the complete product: refusals, the headers that report them, and their accuracy."""

import re

import pytest

from emulators.script import Step
from tests.conftest import ProductWith
from tests.functions.rate_limits import limited, turn
from tests.functions.test_contract import validator
from tests.functions.turns import recording
from voice_core import wiring
from voice_core.wiring.limits import UserLimits


async def test_responses_report_the_remaining_quota(product_with: ProductWith) -> None:
    """Each response has the limit, what remains of it, and until when; a refusal has Retry-After in addition."""
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


async def test_retry_after_is_exact(product_with: ProductWith) -> None:
    """After Retry-After the same request is admitted; two seconds earlier it is not."""
    product, clock = await limited(product_with)
    clock.now += 0.25
    await turn(product)
    await turn(product)
    clock.now += 0.5
    _, headers, _ = await turn(product)
    wait = int(headers["Retry-After"])

    clock.now += wait - 2
    assert (await turn(product))[0] == 429
    clock.now += 2
    assert (await turn(product))[0] == 200


async def test_a_refusal_names_the_limit(product_with: ProductWith) -> None:
    """The problem document names it for programs and for people; no provider was called."""
    product, _ = await limited(product_with)
    await turn(product)
    await turn(product)
    product.services.openai.served.clear()
    status, _, problem = await turn(product)

    assert status == 429
    assert (problem["code"], problem["retryable"]) == ("limit-reached", True)
    assert problem["detail"] == "Your limit is 2 turns within a minute. Try again in 61 s."
    assert problem["violated-policies"] == ["turns"]
    assert not product.services.openai.served
    validator("Problem").validate(problem)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "application/x-ndjson", "audio/wav"])
async def test_every_form_of_response_reports_the_quota(product_with: ProductWith, accept: str) -> None:
    """Every form of response has the headers, streams too."""
    product, _ = await limited(product_with)
    responses = []
    for _ in range(3):
        async with product.post("/process", data=recording(), headers={"Accept": accept}) as response:
            responses.append((response.status, re.findall(r"r=\d+", response.headers["RateLimit"])))
            await response.read()
        await product.app.user_limits.close()

    assert responses == [(200, ["r=1", "r=14400"]), (200, ["r=0", "r=14399"]), (429, ["r=0"])]


async def test_an_error_reports_the_quota_too(product_with: ProductWith) -> None:
    """A turn that failed counts, and its response has the headers."""
    product, _ = await limited(product_with)
    product.services.openai.add("chat", Step(status=500, repeat=True))
    status, headers, _ = await turn(product)

    assert status == 502
    assert headers["RateLimit"] == '"turns";r=1;t=61'


async def test_an_invalid_request_is_not_counted(product_with: ProductWith) -> None:
    """An invalid request uses up nothing, and its response does not have the headers."""
    product, _ = await limited(product_with)
    for document in ({}, {"text": " "}, {"text": "hi", "voice": 1}):
        async with product.post("/process", json=document) as response:
            assert response.status == 400
            assert "RateLimit" not in response.headers
    assert (await turn(product))[1]["RateLimit"] == '"turns";r=1;t=61'


async def test_a_hammering_client_costs_nothing(product_with: ProductWith) -> None:
    """The worker caches when the window reopens: until then a refusal takes no operation in Cosmos DB."""
    product, _ = await limited(product_with)
    await turn(product)
    await turn(product)
    product.services.cosmos.served.clear()
    statuses = [(await turn(product))[0] for _ in range(20)]

    assert statuses == [429] * 20
    assert not product.services.cosmos.served


async def test_workers_share_the_limits(product_with: ProductWith) -> None:
    """A turn taken by one worker counts at another."""
    product, clock = await limited(product_with)
    await turn(product)
    other = wiring.App(product.app.settings)
    elsewhere = UserLimits(other.settings, other.usage, clock).rate_limiter
    try:
        assert (await elsewhere.admit("local", "turns", hears=False)).admitted
        assert (await turn(product))[0] == 429
        assert not (await elsewhere.admit("local", "turns", hears=False)).admitted
    finally:
        await other.close()


@pytest.mark.parametrize(("when_down", "status"), [("open", 200), ("closed", 503)])
async def test_a_setting_decides_when_the_counter_is_down(
    product_with: ProductWith, caplog: pytest.LogCaptureFixture, when_down: str, status: int
) -> None:
    """Requests are admitted or refused; either way it is logged, and the response has no quota headers."""
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


@pytest.mark.parametrize(
    "failing",
    [("account", "database", "container"), ("patch",), ("patch", "read", "create", "replace")],
    ids=["from the first contact on", "at counting", "at everything"],
)
async def test_no_turn_is_admitted_uncounted(product_with: ProductWith, failing: tuple[str, ...]) -> None:
    """While the counter fails, and the breaker opens, a user gets as many turns from a worker as the limit allows."""
    product, clock = await limited(product_with, limits_seconds=0.3, conversations_seconds=0.3, breaker_failures=2)
    app = product.app
    app.user_limits = UserLimits(app.settings, app.guards.store(app.usage, "limits", 0.3), clock)
    for operation in failing:
        product.services.cosmos.add(operation, Step(status=503, repeat=True))
    statuses = [(await turn(product))[0] for _ in range(6)]

    assert statuses == [200] * 2 + [429] * 4
    assert "limits" in app.guards.breakers


async def test_a_refusal_is_logged(product_with: ProductWith, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the limit, not the user."""
    product, _ = await limited(product_with)
    with caplog.at_level("INFO", logger="voice"):
        for _ in range(3):
            await turn(product)

    (event,) = [record for record in caplog.records if record.message.startswith("limited ")]
    assert event.message.endswith(" limit=turns")
