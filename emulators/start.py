"""Start the emulators of this machine, each on a port of its own."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from emulators.azurite import Storage, azurite, program
from emulators.cosmos import cosmos_app
from emulators.openai import openai_app
from emulators.openid import openid_app
from emulators.serving import serving
from emulators.speech import speech_app
from emulators.speech.engines import Engines

PORTS: Mapping[str, int] = {"speech": 7072, "openai": 7073, "cosmos": 7074, "issuer": 7076, "storage": 10_000}
"""The usual port of each emulator. Storage takes the next one too, for queues."""


class PortTaken(Exception):
    """Another program listens on a port; the message says which, and what to do."""


def check_free(ports: Mapping[str, int], remedies: Mapping[str, str]) -> None:
    """Return if nothing listens on *ports*, by name; *remedies* are what to do instead, by the same names.

    Raises:
        PortTaken: a port is taken.
    """
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                message = f"Port {port}, for the {name}, is taken. Stop what runs there, or use {remedies[name]}."
                raise PortTaken(message) from error


def free_port() -> int:
    """A port on which nothing listens at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


async def start_emulators(
    stack: AsyncExitStack,
    ports: Mapping[str, int],
    data: Path,
    *,
    engines: Engines | None = None,
    upstream: str | None = None,
) -> dict[str, str]:
    """Start those that *ports* names, but for storage, until *stack* closes; their addresses by name.

    Args:
        data: folder of what the Cosmos emulator stores.
        engines: those of the Speech emulator; by default those that the environment names.
        upstream: an OpenAI-compatible server that replies instead of the emulator.
    """
    await asyncio.to_thread(data.mkdir, parents=True, exist_ok=True)
    apps: dict[str, Callable[[], web.Application]] = {
        "speech": lambda: speech_app(engines),
        "openai": lambda: openai_app(upstream=upstream),
        "cosmos": lambda: cosmos_app(data / "cosmos.sqlite"),
        "issuer": openid_app,
    }
    return {
        name: await stack.enter_async_context(serving(create(), ports[name]))
        for name, create in apps.items()
        if name in ports
    }


async def start_storage(stack: AsyncExitStack, port: int, data: Path) -> Storage:
    """Start Azurite, which npm has installed into *data*/azurite, with its blobs in *data*/storage.

    Raises:
        AzuriteMissing: it is not installed, or does not start.
    """
    installed = program(data / "azurite")
    return await stack.enter_async_context(azurite(installed, data / "storage", blob_port=port, queue_port=port + 1))


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Do *work* in the background; the end of the context cancels it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def interrupted() -> None:
    """Return at Ctrl+C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
