"""Every route is counted: requests that read or change by each worker, all others in Cosmos DB; streams per user."""

from typing import Any

import pytest

from fakes.eventually import eventually
from fakes.webrtc import Caller
from tests.conftest import Product, ProductWith
from tests.functions.calls import offer
from tests.functions.rate_limits import limited, turn
from tests.functions.test_clips import opened
from tests.functions.test_identity import described, is_open, operations, url_of
from tests.functions.turns import recording
from voice_core.domain.limits import Kind, Rate
from voice_core.usecases.limits.request_counter import RequestCounter
from voice_core.wiring.limits import MOST_STREAMS

EVENTS = {"Accept": "text/event-stream"}


def counted() -> list[tuple[str, str]]:
    """Method and path of every route that requires authentication."""
    return [(method, path) for method, path in operations() if not is_open(described(method, path))]


def allow_one(product: Product) -> None:
    """Begin new windows, each with one request."""
    rates = {"reads": Rate("reads", 1, 60), "changes": Rate("changes", 1, 60)}
    product.app.user_limits.request_counter = RequestCounter(rates)  # type: ignore[arg-type]


async def test_every_read_and_change_is_counted(product: Product) -> None:
    """The second request to any route but those that are posted to is refused at a limit of one."""
    routes = [(method, path) for method, path in counted() if method != "POST"]
    assert len(routes) > 10
    for method, path in routes:
        allow_one(product)
        name = "reads" if method in ("GET", "HEAD") else "changes"
        seen = []
        for _ in range(2):
            async with product.http.request(method, url_of(product, path)) as response:
                seen.append((response.status == 429, response.headers["RateLimit"].partition(";t=")[0]))
        assert seen == [(False, f'"{name}";r=0'), (True, f'"{name}";r=0')], (method, path)
        assert response.headers["RateLimit-Policy"] == f'"{name}";q=1;w=60'
        assert int(response.headers["Retry-After"]) <= 60
        assert "429" in described(method, path)["responses"], (method, path)


POSTED: dict[str, tuple[Kind, dict[str, Any]]] = {
    "/process": ("turns", {"json": {"text": "hi", "speech": "none"}}),
    "/transcribe": ("transcripts", {"data": recording()}),
    "/speak": ("speeches", {"json": {"text": "hi"}}),
    "/clips": ("clips", {"json": {}}),
    "/session": ("sessions", {}),
}
"""The kind of each route that is posted to, and a request that counts."""


def test_every_route_that_is_posted_to_has_a_kind() -> None:
    """A new route must be added to the table, with the limit that it counts against."""
    assert {path for method, path in counted() if method == "POST"} == set(POSTED)


@pytest.mark.parametrize("path", POSTED)
async def test_every_post_is_counted(clip_product: Product, path: str) -> None:
    """It is refused when the limit of its kind is used up, before any provider is called."""
    kind, sent = POSTED[path]
    limiter = clip_product.app.user_limits.rate_limiter
    limiter._rules.rates[kind] = Rate(kind, 1, 60)  # type: ignore[index]
    assert (await limiter.admit("local", kind, hears=False)).admitted
    caller = Caller()
    if path == "/session":
        sent = {"json": {"offer": await offer(caller)}}
    async with clip_product.post(path, **sent) as response:
        problem = await response.json(content_type=None)
    await caller.close()

    assert (response.status, problem["violated-policies"]) == (429, [kind])
    assert not clip_product.services.paid()


async def test_reads_are_counted_without_cosmos_db(product: Product) -> None:
    """Counting a request that reads takes no operation of any store."""
    async with product.get("/voices") as first:
        before = first.headers["RateLimit"]
    product.services.cosmos.served.clear()
    async with product.get("/voices") as second:
        after = second.headers["RateLimit"]

    assert int(after.split(";")[1][2:]) == int(before.split(";")[1][2:]) - 1
    assert not product.services.cosmos.served


async def test_reads_and_turns_have_limits_of_their_own(product_with: ProductWith) -> None:
    """A user whose reads are used up may speak, and the other way round."""
    product, _ = await limited(product_with, turns_per_minute=1, reads_per_minute=1)
    statuses = []
    for _ in range(2):
        async with product.get("/conversations") as response:
            statuses.append(response.status)
        statuses.append((await turn(product))[0])

    assert statuses == [200, 200, 429, 429]


async def test_a_user_follows_few_clips_at_a_time(clip_product: Product) -> None:
    """One stream of events too many is 429 with Retry-After; when another has ended, the next is served."""
    clip = await opened(clip_product)
    path = f"/clips/{clip['clipId']}"
    streams = [await clip_product.get(path, headers=EVENTS) for _ in range(MOST_STREAMS)]
    assert [stream.status for stream in streams] == [200] * MOST_STREAMS
    async with clip_product.get(path, headers=EVENTS) as refused:
        problem = await refused.json(content_type=None)
    assert (refused.status, problem["code"], problem["violated-policies"]) == (429, "limit-reached", ["event-streams"])
    assert refused.headers["Retry-After"]
    async with clip_product.get(path) as read:
        assert read.status == 200

    streams.pop().close()
    slots = clip_product.app.user_limits.event_streams
    await eventually(lambda: slots.count("local") < MOST_STREAMS)
    async with clip_product.get(path, headers=EVENTS) as again:
        assert again.status == 200
    for stream in streams:
        stream.close()
