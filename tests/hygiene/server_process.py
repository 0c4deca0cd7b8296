"""The product as ``make run`` starts it, but on free ports, with its own data, and with scripted, fast providers."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from tests.conftest import ROOT

START_SECONDS = 120.0
START_ATTEMPTS = 3
"""Attempts: another process may take a free port before the product does."""

UNLIMITED = {
    "TURNS_PER_MINUTE": "1000000",
    "TRANSCRIPTS_PER_MINUTE": "1000000",
    "SPEECHES_PER_MINUTE": "1000000",
    "SESSIONS_PER_HOUR": "1000000",
    "CLIPS_PER_DAY": "1000000",
    "READS_PER_MINUTE": "1000000",
    "CHANGES_PER_MINUTE": "1000000",
    "AUDIO_SECONDS_PER_DAY": "1000000000",
    "SESSIONS_MAX": "1000",
    "SESSIONS_PER_USER": "1000",
    "SESSION_GRACE_SECONDS": "15",
    "SESSION_IDLE_SECONDS": "3600",
    "SESSION_MAX_SECONDS": "3600",
    "CLIP_UPLOAD_SECONDS": "2",
    **dict.fromkeys(("LIMITS_SECONDS", "PROVIDER_WAIT_SECONDS", "CONVERSATIONS_SECONDS", "STORAGE_SECONDS"), "30"),
}
"""Settings with unreachable limits, short waits for uploads and sessions, and deadlines that suit a busy machine."""

SCRIPTS: Mapping[str, Mapping[str, list[dict[str, Any]]]] = {
    "SPEECH_ENDPOINT": {
        "stt": [{"text": "what is the weather like", "repeat": True}],
        "tts": [{"tone": True, "repeat": True}],
    },
    "OPENAI_ENDPOINT": {"chat": [{"text": "Fine.", "repeat": True}]},
}
"""Scripts of the emulators, by the setting that holds their address: nothing is really recognised or synthesised."""


@asynccontextmanager
async def running_product(settings: Mapping[str, str] = UNLIMITED, *arguments: str) -> AsyncIterator[str]:
    """The base URL of a product with *settings*, which stops when the context ends; *arguments* are its command's."""
    with TemporaryDirectory() as folder:
        link_checkout(Path(folder))
        process, base = await _started(folder, settings, *arguments)
        try:
            yield base
        finally:
            await _stop(process)


async def _started(folder: str, settings: Mapping[str, str], *arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    for _ in range(START_ATTEMPTS):
        process, endpoints, base = await launched(folder, settings, *arguments)
        try:
            if await asyncio.wait_for(_healthy(base, process), START_SECONDS):
                await _script(endpoints)
                return process, base
        except BaseException:
            await _stop(process)
            raise
    raise ChildProcessError(f"the product ended with status {process.returncode}")


async def launched(
    folder: str, settings: Mapping[str, str], *arguments: str
) -> tuple[asyncio.subprocess.Process, Mapping[str, str], str]:
    """A product that begins to start, with its data in *folder*; its emulators' addresses and its base URL."""
    speech, openai, cosmos, host, storage = _free_ports()
    endpoints = {
        "SPEECH_ENDPOINT": f"http://127.0.0.1:{speech}",
        "OPENAI_ENDPOINT": f"http://127.0.0.1:{openai}/v1/",
        "COSMOS_ENDPOINT": f"http://127.0.0.1:{cosmos}",
        "STORAGE_URL": f"http://127.0.0.1:{storage}/devstoreaccount1",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local_host", "--folder", folder, "--port", str(host), *arguments),
        cwd=ROOT,
        env={**os.environ, **endpoints, **settings},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return process, endpoints, f"http://127.0.0.1:{host}/api/voice"


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Terminate it, never kill it: it has to end its own child processes."""
    if process.returncode is None:
        process.terminate()
    await process.wait()


def link_checkout(folder: Path) -> None:
    """Link the files of the checkout, but not its data."""
    for name in ("function_app.py", "host.json", "local.settings.json", "clients"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".local").mkdir()
    (folder / ".local" / "azurite").symlink_to(ROOT / ".local" / "azurite")


def _free_ports() -> list[int]:
    """Five free ports; the one after the fifth is free too, because storage takes two."""
    while True:
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
        ports = [one.getsockname()[1] for one in sockets]
        try:
            sockets.append(socket.create_server(("127.0.0.1", ports[-1] + 1)))
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
        return ports


async def _healthy(base: str, process: asyncio.subprocess.Process) -> bool:
    """Wait until the product serves (True) or has ended (False)."""
    async with aiohttp.ClientSession() as http:
        while process.returncode is None:
            try:
                async with http.get(f"{base}/health") as response:
                    if response.status == 200:
                        return True
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.2)
    return False


async def _script(endpoints: Mapping[str, str]) -> None:
    async with aiohttp.ClientSession() as http:
        for setting, script in SCRIPTS.items():
            url = f"{endpoints[setting].removesuffix('/v1/')}/_emulator/script"
            async with http.put(url, data=json.dumps(script)) as response:
                response.raise_for_status()
