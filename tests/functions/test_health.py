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


QUERIES = {
    "warm": "warm=1",
    "deep and warm": "deep=1&warm=1",
    "in capitals": "WARM=true",
    "among unknown parameters": "&".join(["warm=1", *(f"a{number}=b" for number in range(500))]),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_many_checks_of_any_kind_cost_no_more_than_one(product: Product, query: str, method: str) -> None:
    """They need no sign-in, so the first one serves all that follow, however they are spelled."""

    async def check() -> int:
        async with product.http.request(method, f"{product.url}/health?{query}") as response:
            status: int = response.status
            return status

    scripts = product.services.speech, product.services.openai, product.services.cosmos
    assert await check() == 200
    calls = [len(script.served) for script in scripts]
    assert set(await asyncio.gather(*(check() for _ in range(20)))) == {200}
    assert [len(script.served) for script in scripts] == calls


@pytest.mark.parametrize("query", ["deep=1", "warm=1"])
async def test_simultaneous_checks_are_one(product: Product, query: str) -> None:
    """Requests that arrive before the first has its result wait for the same."""

    async def check() -> int:
        async with product.get(f"/health?{query}") as response:
            status: int = response.status
            return status

    assert set(await asyncio.gather(*(check() for _ in range(20)))) == {200}
    assert [served.operation for served in product.services.openai.served] == ["models"]


async def test_a_preparation_without_a_caller_goes_on(product: Product) -> None:
    """A caller who disconnects does not take the result from the others."""
    first = asyncio.create_task(product.app.warm())
    await asyncio.sleep(0)
    first.cancel()
    await product.app.warm()
    assert [served.operation for served in product.services.openai.served] == ["models"]


@pytest.mark.direct
@pytest.mark.parametrize("query", ["a=b&" * 8000, "deep=1&" * 700])
async def test_thousands_of_parameters_are_refused_unread(product: Product, query: str) -> None:
    """They are 400, whatever they say."""
    async with product.get(f"/health?{query}") as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (400, "request-invalid")


async def test_warming_opens_connections(product: Product) -> None:
    """After warm=1 the first turn has nothing left to load."""
    async with product.get("/health?warm=1") as response:
        assert response.status == 200
    async with product.post("/process", json={"text": "hi"}) as response:
        assert response.status == 200
