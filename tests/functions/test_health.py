"""/health: liveness, readiness, and the state of each dependency."""

import asyncio

import pytest

from emulators.script import Script, Step
from tests.conftest import Product


async def test_liveness_touches_no_dependency(product: Product) -> None:
    """A worker is alive whatever the state of its services, and calls none of them."""
    async with product.get("/health") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})

    for script in (product.services.speech, product.services.openai, product.services.cosmos):
        assert not script.served


async def test_a_deep_check_covers_every_dependency(product: Product) -> None:
    """deep=1 reports every dependency by name."""
    async with product.get("/health?deep=1") as response:
        answer = await response.json()

    assert response.status == 200, answer
    assert {name: check["ok"] for name, check in answer["checks"].items()} == {
        "stt": True,
        "assistant": True,
        "tts": True,
        "conversations": True,
        "requests": True,
        "limits": True,
        "identity": True,
    }


@pytest.mark.parametrize(
    ("service", "operations", "names"),
    [
        ("speech", ["voices"], {"stt", "tts"}),
        ("openai", ["models", "chat"], {"assistant"}),
        ("cosmos", ["account", "database", "container", "read", "query"], {"conversations", "requests", "limits"}),
    ],
)
async def test_a_deep_check_names_the_failing_service(
    product: Product, service: str, operations: list[str], names: set[str]
) -> None:
    """deep=1 is 503 while a service is down, and that service alone is not ok."""
    script: Script = getattr(product.services, service)
    for operation in operations:
        script.add(operation, Step(status=503, repeat=True))
    async with product.get("/health?deep=1") as response:
        answer = await response.json()

    assert response.status == 503
    assert {name for name, check in answer["checks"].items() if not check["ok"]} == names


async def test_many_deep_checks_cost_no_more_than_one(product: Product) -> None:
    """A deep check needs no sign-in, so it must not multiply the calls of our providers."""

    async def check() -> int:
        async with product.get("/health?deep=1") as response:
            status: int = response.status
            return status

    assert set(await asyncio.gather(*(check() for _ in range(20)))) == {200}
    assert await check() == 200
    assert [served.operation for served in product.services.openai.served] == ["models"]


async def test_warming_opens_connections(product: Product) -> None:
    """After warm=1 the first turn has nothing left to load."""
    async with product.get("/health?warm=1") as response:
        assert response.status == 200
    async with product.post("/process", json={"text": "hi"}) as response:
        assert response.status == 200
