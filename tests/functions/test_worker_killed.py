"""Worker processes that are killed (SIGKILL) in the middle of a turn: another worker completes it."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields
from typing import Any

import aiohttp
import pytest

from benchmarks.processes import Child, child
from emulators.script import Script, Step
from fakes.eventually import eventually
from tests.conftest import Product, ProductWith, Services
from tests.functions.test_idempotency import RECORDING
from voice_core.settings import Settings

CLAIM_SECONDS = 1.0
HELD = Step(connect_seconds=1000.0)
"""The service has received the request, and does not process it."""

LONG_TIMEOUTS = dict.fromkeys(("conversations_seconds", "stt_seconds", "assistant_seconds", "tts_seconds"), 600.0)
"""Timeouts that do not expire on a busy machine before the worker is killed."""


@dataclass(frozen=True)
class Death:
    """The point where a worker dies: when a service has received *requests* of an operation, the last of them held."""

    service: str
    operation: str
    steps: tuple[Step, ...]
    written: bool = False
    """The journal has the complete reply."""
    stored: bool = False
    """Whether the turn is stored."""

    @property
    def requests(self) -> int:
        return len(self.steps)


DEATHS = (
    Death("cosmos", "create", (HELD,)),
    Death("openai", "chat", (HELD,)),
    Death("cosmos", "batch", (HELD,), written=True),
    # The first is committed and its response lost; the SDK sends it again.
    Death("cosmos", "batch", (Step(drop_after=1), HELD), written=True, stored=True),
)


async def test_a_killed_workers_turn_is_completed(services: Services, product_with: ProductWith) -> None:
    """Killed before the key is noted, while the assistant writes, before the turn is stored and after: one turn each.

    A client that gets 409, and waits exactly Retry-After, gets the turn.
    """
    survivor = await product_with(request_claim_seconds=CLAIM_SECONDS, **LONG_TIMEOUTS)
    async with AsyncExitStack() as stack:
        environ = _environ(survivor.services.settings)
        starting = (stack.enter_async_context(child("benchmarks.server", "sdk", settings=environ)) for _ in DEATHS)
        for number, (victim, death) in enumerate(zip(await asyncio.gather(*starting), DEATHS, strict=True)):
            await _killed(victim, death, survivor, number)


async def _killed(victim: Child, death: Death, survivor: Product, number: int) -> None:
    script: Script = getattr(survivor.services, death.service)
    url, key = f"{victim.addresses['url']}/api/voice", {"Idempotency-Key": f"k{number}"}
    # The first turn of a worker makes requests that later ones do not; they must not be the ones that are held.
    await _answer(survivor.http, url, {"Idempotency-Key": f"before-k{number}"})
    script.served.clear()
    script.add(death.operation, *death.steps)
    asking = asyncio.create_task(_answer(survivor.http, url, key))
    await eventually(lambda: _served(script, death.operation) >= death.requests)
    os.kill(victim.pid, signal.SIGKILL)
    with pytest.raises(aiohttp.ClientError):
        await asking
    calls = _served(survivor.services.openai, "chat")

    status, headers, _ = await _answer(survivor.http, survivor.url, key)
    if status == 409:
        await asyncio.sleep(int(headers["Retry-After"]))
        status, headers, _ = await _answer(survivor.http, survivor.url, key)
    assert status == 200, death
    assert (headers.get("Idempotency-Replayed") == "true") == death.stored, death
    assert _served(survivor.services.openai, "chat") == calls + (not death.written), death
    _, _, replayed = await _answer(survivor.http, survivor.url, key)
    async with survivor.get(f"/conversations/{replayed['conversationId']}") as response:
        assert [turn["turnId"] for turn in (await response.json())["turns"]] == [replayed["turnId"]], death


async def _answer(http: aiohttp.ClientSession, url: str, key: dict[str, str]) -> tuple[int, Any, dict[str, Any]]:
    async with http.post(f"{url}/process", data=RECORDING, headers=key) as response:
        return response.status, response.headers, await response.json(content_type=None)


def _served(script: Script, operation: str) -> int:
    return sum(served.operation == operation for served in script.served)


def _environ(settings: Settings) -> dict[str, str]:
    """The environment that gives a process the same settings."""
    defaults = {each.name: each.default for each in fields(Settings)}
    changed = {name: value for name in defaults if (value := getattr(settings, name)) != defaults[name]}
    return {name.upper(): str(value) for name, value in changed.items()}
