"""The keys of the Functions host, which it checks before our app sees a request."""

import asyncio
import os
import socket
import sys

import aiohttp
import pytest

from fakes.eventually import HANG_SECONDS
from tests.conftest import ROOT
from tests.functions.test_clip_triggers import indexed

OPEN = {"get_health", "get_openapi", "options_session"}


@pytest.mark.parametrize("level", ["anonymous", "function"])
async def test_functions_have_the_configured_auth_level(level: str) -> None:
    """In Microsoft's runtime every function has the level of the setting, except those that are open to everyone."""
    bindings = (await indexed(HTTP_AUTH_LEVEL=level))["bindings"]
    triggers = {name: found[0] for name, found in bindings.items() if found[0]["type"] == "httpTrigger"}

    assert {name for name, found in triggers.items() if found["authLevel"].lower() != level} == (
        set() if level == "anonymous" else OPEN
    )


async def test_a_key_is_checked_first() -> None:
    """The local host, like Azure's, requires a key in the header or in the query; open paths need none."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local_host.functions", "--port", str(port), "--key", "a-key"),
        cwd=ROOT,
        env={**os.environ, "HTTP_AUTH_LEVEL": "function", "AUTH_MODE": "none"},
    )
    session = f"http://127.0.0.1:{port}/api/voice/session/none"
    try:
        async with aiohttp.ClientSession() as http:
            await _healthy(http, f"http://127.0.0.1:{port}/api/voice/health")
            answers = [
                await _status(http, session),
                await _status(http, session, {"x-functions-key": "another"}),
                await _status(http, session, {"x-functions-key": "a-key"}),
                await _status(http, f"{session}?code=a-key"),
            ]
    finally:
        process.terminate()
        await process.wait()

    assert answers == [401, 401, 404, 404]


async def _healthy(http: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            try:
                if await _status(http, url) == 200:
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


async def _status(http: aiohttp.ClientSession, url: str, headers: dict[str, str] | None = None) -> int:
    async with http.get(url, headers=headers) as response:
        return response.status
