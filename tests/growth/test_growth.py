"""The work for an input grows with its size, not with the square of it."""

import pytest
from starlette.routing import Route

from tests.conftest import Product, ProductWith, function_host
from tests.growth.parsers import PARSERS
from tests.growth.requests import REQUESTS, STORED
from tests.growth.work import Work, cost

STEP = 4
"""Factor between the two sizes of an input."""

MOST = 5
"""Most that its cost may grow by: a little more than its size."""

READ_METHODS = {"GET", "HEAD", "OPTIONS", "DELETE"}
"""Methods of requests without a body."""


async def assert_growth(small: tuple[Work, Work, Work], large: tuple[Work, Work]) -> None:
    """Compare the cost of two sizes, each prepared for calls and for bytes; the first small one fills caches."""
    first, *rest = small
    await first()
    before, after = await cost(*rest), await cost(*large)

    assert after.calls <= MOST * before.calls, (before, after)
    assert after.peak_bytes <= MOST * before.peak_bytes, (before, after)


@pytest.mark.parametrize("name", PARSERS)
async def test_parsing_grows_with_the_input(name: str) -> None:
    """Four times as much of anything takes at most five times the calls and the memory."""
    kind = PARSERS[name]
    small = kind.prepare(kind.size)
    large = kind.prepare(STEP * kind.size)

    await assert_growth((small, small, small), (large, large))


@pytest.mark.parametrize("name", REQUESTS)
async def test_requests_grow_with_their_size(product_with: ProductWith, name: str) -> None:
    """A request with four times as much of anything takes at most five times the calls and the memory."""
    await _assert_request_growth(await product_with(sessions_per_user=10), name)


@pytest.mark.parametrize("name", STORED)
async def test_requests_for_storage_grow_with_their_size(clip_product: Product, name: str) -> None:
    """The same is true of requests that need storage."""
    await _assert_request_growth(clip_product, name)


async def _assert_request_growth(product: Product, name: str) -> None:
    kind = {**REQUESTS, **STORED}[name]
    small = [await kind.prepare(product, kind.size) for _ in range(3)]
    large = [await kind.prepare(product, STEP * kind.size) for _ in range(2)]

    await assert_growth((small[0], small[1], small[2]), (large[0], large[1]))


def test_every_route_with_a_body_has_a_kind() -> None:
    """A route that accepts a body cannot be added without a test of how its work grows."""
    routes = {
        f"{method} {route.path.removeprefix('/api/')}"
        for route in function_host().routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    with_body = {route for route in routes if route.partition(" ")[0] not in READ_METHODS}

    assert with_body
    assert with_body <= {kind.route for kind in (*REQUESTS.values(), *STORED.values())}
