"""The product with limits that a test can reach."""

from typing import Any

from tests.clock import Clock
from tests.conftest import Product, ProductWith
from voice_core.domain.limits import DAY_SECONDS
from voice_core.wiring.limits import UserLimits

NOON = 20_000.5 * DAY_SECONDS
TYPED = {"text": "hi", "speech": "none"}


async def limited(product_with: ProductWith, **settings: Any) -> tuple[Product, Clock]:
    """The product with limits that a test can reach, and the clock of the limits."""
    product = await product_with(**{"turns_per_minute": 2} | settings)
    clock = Clock(NOON)
    product.app.user_limits = UserLimits(product.app.settings, product.app.usage, clock)
    return product, clock


async def turn(product: Product, **members: Any) -> tuple[int, Any, dict[str, Any]]:
    """A typed turn: status, headers and document."""
    async with product.post("/process", json=TYPED | members) as response:
        return response.status, response.headers, await response.json()
