"""The product with a breakable TCP proxy (a wire) in front of each of its services."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fakes.fault_wire import Wire, wire
from tests.conftest import Account, Product, Services, new_product
from tests.issuers import AUDIENCE, Issuer


@dataclass(frozen=True)
class WiredProduct:
    """The product, and its wires by the names of their services."""

    product: Product
    wires: dict[str, Wire]


Make = Callable[..., Any]


@pytest.fixture
async def wired(
    services: Services, account: Account, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Make]:
    """Creates the product with changed settings, and a client that sends a token; once per test."""
    async with AsyncExitStack() as stack:

        async def make(**changes: Any) -> WiredProduct:
            settings = replace(services.settings, storage_url=account.url, storage_key=account.key, storage_create=True)
            targets = {
                "speech": settings.speech_endpoint,
                "openai": settings.openai_endpoint,
                "cosmos": settings.cosmos_endpoint,
                "blob": settings.storage_url,
                "issuer": f"{issuer.url}/keys",
            }
            wires = {name: await stack.enter_async_context(wire(target)) for name, target in targets.items()}
            settings = replace(
                settings,
                speech_endpoint=wires["speech"].at(settings.speech_endpoint),
                openai_endpoint=wires["openai"].at(settings.openai_endpoint),
                cosmos_endpoint=wires["cosmos"].at(settings.cosmos_endpoint),
                storage_url=wires["blob"].at(settings.storage_url),
                jwt_issuer=issuer.url,
                jwt_jwks_url=wires["issuer"].at(f"{issuer.url}/keys"),
                jwt_audience=AUDIENCE,
                **changes,
            )
            own = replace(services, settings=settings)
            return WiredProduct(await new_product(stack, own, monkeypatch, issuer.headers()), wires)

        yield make
