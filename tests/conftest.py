"""The whole product in one process: the real handlers, wiring and SDKs over the emulators."""

import asyncio
import gc
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import uvicorn
from hypothesis import settings
from starlette.applications import Starlette
from starlette.types import ASGIApp

from emulators.azurite import KEY, AzuriteMissing, Storage, azurite, program
from emulators.cosmos import cosmos_app
from emulators.openai import openai_app
from emulators.script import Script, Step
from emulators.serving import serving
from emulators.speech import speech_app
from local_host.blob_trigger import BlobTriggers, Pace
from local_host.front.server import front
from local_host.functions import host, load_app
from tests.issuers import Issuer, issuing, signer
from voice_core import wiring
from voice_core.settings import Settings

# Hypothesis uses the same examples in every run and has no deadline, so that a failure can be repeated on any machine.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")

# Functions are indexed once per process, with the Blob trigger source of a local run.
os.environ["CLIP_SOURCE"] = "LogsAndContainerScan"


def pytest_unconfigure() -> None:
    """Undo the product's `gc.freeze()`: a library of the tests complains at exit about objects that are not freed."""
    gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail skipped tests in CI, where everything that the tests need is installed."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = str(report.longrepr)
    return report


FRONT = os.environ.get("FRONT", "0") != "0"
"""Whether the product is behind a front like that of the Functions host, in all tests (docs/functions-host.md)."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a front does not let through."""
    direct = [item for item in items if FRONT and item.get_closest_marker("direct")]
    config.hook.pytest_deselected(items=direct)
    items[:] = [item for item in items if item not in direct]


ROOT = Path(__file__).parent.parent
HEARD = "what is the weather like"
"""The transcript of the emulated recognition unless a test scripts another."""


ACCOUNTS = [f"account{number:03}" for number in range(500)]
"""Storage accounts of Azurite, which has to be started with all of them."""

_FREE_ACCOUNTS = iter(ACCOUNTS)


@dataclass(frozen=True)
class Account:
    """A storage account of one test."""

    storage: Storage
    name: str
    key: str = KEY

    @property
    def url(self) -> str:
        return self.storage.url(self.name)

    @property
    def connection(self) -> str:
        return self.storage.connection(self.name)


@dataclass(frozen=True)
class Services:
    """The emulators of one test."""

    speech: Script
    openai: Script
    cosmos: Script
    settings: Settings

    def paid(self) -> Counter[str]:
        """The number of billable requests to providers, by operation: ``stt``, ``chat``, ``tts``."""
        served = (*self.speech.served, *self.openai.served)
        return Counter(each.operation for each in served if each.operation in ("stt", "chat", "tts"))


@dataclass(frozen=True)
class Product:
    """The running product and an HTTP client for it."""

    url: str
    http: aiohttp.ClientSession
    services: Services
    app: wiring.App

    def post(self, path: str, **request: Any) -> Any:
        return self.http.post(f"{self.url}{path}", **request)

    def get(self, path: str, **request: Any) -> Any:
        return self.http.get(f"{self.url}{path}", **request)

    def delete(self, path: str, **request: Any) -> Any:
        return self.http.delete(f"{self.url}{path}", **request)


ProductWith = Callable[..., Awaitable[Product]]
"""Creates the product with settings of the test."""


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    speech, openai, cosmos = Script(), Script(), Script()
    speech.add("stt", Step(text=HEARD, repeat=True))
    speech.add("tts", Step(tone=True, repeat=True))
    async with (
        serving(speech_app(script=speech)) as speech_url,
        serving(openai_app(script=openai)) as openai_url,
        serving(cosmos_app(None, script=cosmos)) as cosmos_url,
    ):
        local = Settings(
            speech_endpoint=speech_url,
            speech_key="local",
            openai_endpoint=f"{openai_url}/v1/",
            openai_key="local",
            openai_model="offline",
            cosmos_endpoint=cosmos_url,
            cosmos_key="bG9jYWw=",
            cosmos_create=True,
            auth_mode="none",
            turns_per_minute=1000,
            transcripts_per_minute=1000,
            speeches_per_minute=1000,
            reads_per_minute=10_000,
            changes_per_minute=10_000,
        )
        yield Services(speech, openai, cosmos, local)


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """An issuer whose tokens a product with its settings accepts."""
    async with issuing(signer()) as one:
        yield one


@pytest.fixture
async def product(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Product]:
    async with AsyncExitStack() as stack:
        yield await new_product(stack, services, monkeypatch)


@pytest.fixture
async def product_with(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ProductWith]:
    """Creates the product with settings of the test."""
    async with AsyncExitStack() as stack:

        async def make(**changed: Any) -> Product:
            own = replace(services.settings, **changed)
            return await new_product(stack, replace(services, settings=own), monkeypatch)

        yield make


@pytest.fixture
async def small_product(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Product]:
    """The product with limits that a test can reach: 64 kB, 2 s and 50 characters."""
    limited = replace(services.settings, max_audio_bytes=64_000, max_audio_seconds=2, max_text_characters=50)
    async with AsyncExitStack() as stack:
        yield await new_product(stack, replace(services, settings=limited), monkeypatch)


async def new_product(
    stack: AsyncExitStack,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    headers: Mapping[str, str] | None = None,
) -> Product:
    """The product with the settings of *services*, until *stack* closes; its client always sends *headers*.

    With ``FRONT=1`` in the environment, it is behind a front like that of the Functions host.
    """
    app = wiring.App(services.settings)
    monkeypatch.setattr(wiring, "app", lambda: app)
    stack.push_async_callback(app.close)
    url = await stack.enter_async_context(served(function_host()))
    if FRONT:
        url = await stack.enter_async_context(front(url))
    http = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
    return Product(f"{url}/api/voice", http, services, app)


WAYS = ("directly", "behind a front")
"""How a client reaches the product: the second as in Azure. Parameters of fixtures, see `reached`."""


@asynccontextmanager
async def reached(product: Product, way: str) -> AsyncIterator[Product]:
    """The *product* as its clients reach it, by one of `WAYS`."""
    if way == "directly":
        yield product
        return
    async with front(product.url) as url:
        yield replace(product, url=url)


@cache
def function_host() -> Starlette:
    """The function app as the local host serves it; a function app can be indexed only once per process."""
    return host(load_app(ROOT), ROOT)


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error", timeout_graceful_shutdown=1))
    started = asyncio.Event()
    startup = server.startup

    async def starting(**sockets: Any) -> None:
        await startup(**sockets)
        started.set()

    server.startup = starting  # type: ignore[method-assign, assignment]
    serving_task = asyncio.create_task(server.serve())
    await started.wait()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving_task


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def azurite_server() -> AsyncIterator[Storage]:
    """One Azurite for all tests of a process; each test uses its own account in it."""
    try:
        installed = program(ROOT / ".local" / "azurite")
    except AzuriteMissing as missing:
        pytest.skip(str(missing))
    async with azurite(installed, accounts=ACCOUNTS) as storage:
        yield storage


@pytest.fixture
def account(azurite_server: Storage) -> Account:
    """An empty storage account."""
    return Account(azurite_server, next(_FREE_ACCOUNTS))


@pytest.fixture
async def clip_product(services: Services, account: Account, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Product]:
    """The product with storage, and a host that polls for new recordings every 50 ms."""
    async with _clip_product(services, account, monkeypatch) as product:
        yield product


@pytest.fixture
async def small_clip_product(
    services: Services, account: Account, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Product]:
    """The same with limits that a test can reach: 100 kB and 2 s."""
    small = replace(services.settings, max_clip_bytes=100_000, max_clip_seconds=2)
    async with _clip_product(replace(services, settings=small), account, monkeypatch) as product:
        yield product


@asynccontextmanager
async def _clip_product(
    services: Services, account: Account, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Product]:
    with_storage = replace(
        services.settings,
        storage_url=account.url,
        storage_key=account.key,
        storage_create=True,
        clip_claim_seconds=2.0,
    )
    async with AsyncExitStack() as stack:
        product = await new_product(stack, replace(services, settings=with_storage), monkeypatch)
        pace = Pace(poll_seconds=0.05, hidden_seconds=5)
        triggers = BlobTriggers(function_host().state.functions, account.connection, pace)
        await stack.enter_async_context(triggers.running())
        yield product
