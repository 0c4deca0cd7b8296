"""Workers that are processes, and are killed (SIGKILL) while they are at a turn: another one completes it."""

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
from tests.conftest import Product, ProductWith, Services
from tests.eventually import eventually
from tests.functions.test_idempotency import RECORDING
from voice_core.settings import Settings

CLAIM_SECONDS = 1.0
HELD = Step(connect_seconds=1000.0)
"""The request has arrived, and nothing has been done yet."""

PATIENT = dict.fromkeys(("conversations_seconds", "stt_seconds", "assistant_seconds", "tts_seconds"), 600.0)
"""So that on a busy machine a worker gives up none of it before it is killed."""


@dataclass(frozen=True)
class Death:
    """Where a worker dies: when a service has been sent *requests* of an operation, the last of which is held."""

    service: str
    operation: str
    steps: tuple[Step, ...]
    stored: bool = False
    """The turn is."""

    @property
    def requests(self) -> int:
        return len(self.steps)


DEATHS = (
    Death("cosmos", "create", (HELD,)),
    Death("openai", "chat", (HELD,)),
    Death("cosmos", "batch", (HELD,)),
    # The first is committed and its answer lost; the SDK sends it again.
    Death("cosmos", "batch", (Step(drop_after=1), HELD), stored=True),
)


async def test_a_killed_workers_turn_is_completed(services: Services, product_with: ProductWith) -> None:
    """Killed before the key is noted, while the assistant writes, before the turn is stored and after: one turn each.

    Whoever is told to wait, and waits exactly so long, is answered.
    """
    survivor = await product_with(request_claim_seconds=CLAIM_SECONDS, **PATIENT)
    async with AsyncExitStack() as stack:
        environ = _environ(survivor.services.settings)
        starting = (stack.enter_async_context(child("benchmarks.server", "sdk", settings=environ)) for _ in DEATHS)
        for number, (victim, death) in enumerate(zip(await asyncio.gather(*starting), DEATHS, strict=True)):
            await _killed(victim, death, survivor, number)


async def _killed(victim: Child, death: Death, survivor: Product, number: int) -> None:
    script: Script = getattr(survivor.services, death.service)
    url, key = f"{victim.told['url']}/api/voice", {"Idempotency-Key": f"k{number}"}
    # What any worker does but once must not be what is held.
    await _answer(survivor.http, url, {"Idempotency-Key": f"before-k{number}"})
    script.served.clear()
    script.add(death.operation, *death.steps)
    asking = asyncio.create_task(_answer(survivor.http, url, key))
    await eventually(lambda: _asked(script, death.operation) >= death.requests)
    os.kill(victim.pid, signal.SIGKILL)
    with pytest.raises(aiohttp.ClientError):
        await asking
    calls = _asked(survivor.services.openai, "chat")

    status, headers, _ = await _answer(survivor.http, survivor.url, key)
    if status == 409:
        await asyncio.sleep(int(headers["Retry-After"]))
        status, headers, _ = await _answer(survivor.http, survivor.url, key)
    assert status == 200, death
    assert (headers.get("Idempotency-Replayed") == "true") == death.stored, death
    assert _asked(survivor.services.openai, "chat") == calls + (not death.stored), death
    _, _, told = await _answer(survivor.http, survivor.url, key)
    async with survivor.get(f"/conversations/{told['conversationId']}") as response:
        assert [turn["turnId"] for turn in (await response.json())["turns"]] == [told["turnId"]], death


async def _answer(http: aiohttp.ClientSession, url: str, key: dict[str, str]) -> tuple[int, Any, dict[str, Any]]:
    async with http.post(f"{url}/process", data=RECORDING, headers=key) as response:
        return response.status, response.headers, await response.json(content_type=None)


def _asked(script: Script, operation: str) -> int:
    return sum(served.operation == operation for served in script.served)


def _environ(settings: Settings) -> dict[str, str]:
    """What makes a process have the same settings."""
    defaults = {each.name: each.default for each in fields(Settings)}
    changed = {name: value for name in defaults if (value := getattr(settings, name)) != defaults[name]}
    return {name.upper(): str(value) for name, value in changed.items()}
