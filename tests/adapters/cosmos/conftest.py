"""A Cosmos account for each test, served over HTTP, and stores in it."""

from collections.abc import AsyncIterator

import pytest

from emulators.cosmos import cosmos_app
from emulators.script import Script
from emulators.serving import serving
from tests.adapters.cosmos.concurrent_writer import database, opened
from tests.clock import Clock
from voice_core.adapters.cosmos import CosmosConversations, Database


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="script")
def _script() -> Script:
    return Script()


@pytest.fixture(name="url")
async def _url(clock: Clock, script: Script) -> AsyncIterator[str]:
    async with serving(cosmos_app(None, clock=clock, script=script)) as url:
        yield url


@pytest.fixture(name="voice")
def _voice(url: str) -> Database:
    return database(url)


@pytest.fixture(name="store")
async def _store(url: str) -> AsyncIterator[CosmosConversations]:
    store = opened(url)
    yield store
    await store.close()
