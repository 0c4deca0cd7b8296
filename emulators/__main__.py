"""Runs the emulators and, with ``--host``, the function app that uses them: ``make emulators`` and ``make run``."""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import aiohttp

from emulators.azurite import AzuriteMissing, allow_uploads, azurite, program
from emulators.child_process import stop
from emulators.cosmos import cosmos_app
from emulators.functions import load_settings
from emulators.openai import openai_app
from emulators.openid import openid_app
from emulators.serving import serving
from emulators.speech import speech_app

ENDPOINTS = {
    "speech": "SPEECH_ENDPOINT",
    "openai": "OPENAI_ENDPOINT",
    "cosmos": "COSMOS_ENDPOINT",
    "storage": "STORAGE_URL",
    "issuer": "JWT_ISSUER",
}
START_SECONDS = 60.0


class CannotStart(Exception):
    """The message says why and what to do."""


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m emulators", description=__doc__)
    arguments.add_argument("--host", action="store_true", help="serve the function app too")
    arguments.add_argument(
        "--port", type=int, help="of the function app; 7071 unless local.settings.json says otherwise"
    )
    arguments.add_argument("--folder", type=Path, default=Path.cwd(), help="where function_app.py is")
    options = arguments.parse_args()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(options.folder, options.port, with_host=options.host))
    except CannotStart as error:
        sys.exit(f"\n{error}\n")


async def _run(folder: Path, port: int | None, *, with_host: bool) -> None:
    began = monotonic()
    settings = load_settings(folder)
    port = port or settings.port
    ports = {name: urlsplit(os.environ[setting]).port or 80 for name, setting in ENDPOINTS.items()}
    if not _issues_tokens(os.environ):
        del ports["issuer"]
    _check_free(ports | ({"host": port} if with_host else {}))
    async with AsyncExitStack() as stack:
        await _start_emulators(stack, folder, ports)
        if not await _start_storage(stack, folder, ports["storage"], port):
            del ports["storage"]
        if not with_host:
            _say(f"Emulators: {', '.join(f'{name} on {at}' for name, at in ports.items())}. Ctrl+C stops them.")
            await _interrupted()
            return
        host = await stack.enter_async_context(_host(folder, port))
        await _until_healthy(host, port)
        _say(_welcome(port, monotonic() - began))
        if "issuer" in ports:
            _say(_sign_in(ports["issuer"]))
        await asyncio.wait(
            {asyncio.ensure_future(host.wait()), asyncio.ensure_future(_interrupted())}, return_when="FIRST_COMPLETED"
        )


async def _start_emulators(stack: AsyncExitStack, folder: Path, ports: Mapping[str, int]) -> None:
    local_data = folder / ".local"
    local_data.mkdir(exist_ok=True)
    apps = {
        "speech": speech_app(),
        "openai": openai_app(upstream=os.environ.get("OPENAI_UPSTREAM")),
        "cosmos": cosmos_app(local_data / "cosmos.sqlite"),
        "issuer": openid_app(),
    }
    for name in apps.keys() & ports.keys():
        await stack.enter_async_context(serving(apps[name], ports[name]))


def _issues_tokens(environ: Mapping[str, str]) -> bool:
    """Whether the product requires tokens from an issuer on this machine."""
    return environ.get("AUTH_MODE") == "jwt" and urlsplit(environ["JWT_ISSUER"]).hostname == "127.0.0.1"


async def _start_storage(stack: AsyncExitStack, folder: Path, port: int, page_port: int) -> bool:
    """Start Azurite; False if it cannot run here. Without it, all but clips and stored speech works."""
    try:
        installed = program(folder / ".local" / "azurite")
        data = folder / ".local" / "storage"
        storage = await stack.enter_async_context(azurite(installed, data, blob_port=port, queue_port=port + 1))
    except AzuriteMissing as missing:
        _say(f"\n{missing}")
        # The product then reports at once that there is no storage, instead of trying to reach it each time.
        os.environ["STORAGE_URL"] = ""
        return False
    os.environ["AzureWebJobsStorage"] = storage.connection()  # noqa: SIM112 - the host spells it so
    await allow_uploads(storage, [f"http://{name}:{page_port}" for name in ("127.0.0.1", "localhost")])
    return True


def _check_free(ports: Mapping[str, int]) -> None:
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                remedy = (
                    "PORT=7171 make run"
                    if name == "host"
                    else f"another port in {ENDPOINTS[name]} (local.settings.json)"
                )
                raise CannotStart(
                    f"Port {port}, for the {name}, is taken. Stop what runs there, or use {remedy}."
                ) from error


@asynccontextmanager
async def _host(folder: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the function app in a separate process, so that the emulators' work does not slow it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emulators.functions", "--folder", str(folder), "--port", str(port)
    )
    try:
        yield process
    finally:
        await stop(process)


async def _until_healthy(host: asyncio.subprocess.Process, port: int) -> None:
    """Wait until the host responds and has opened the connections that the first turn needs."""
    url = f"http://127.0.0.1:{port}/api/voice/health?warm=1"
    deadline = monotonic() + START_SECONDS
    async with aiohttp.ClientSession() as session:
        while monotonic() < deadline and host.returncode is None:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with session.get(url) as response:
                    if response.status == 200:
                        return
                    raise CannotStart(f"The function app responded {response.status}: {await response.text()}")
            await asyncio.sleep(0.1)
    raise CannotStart("The function app did not start; see its output above.")


async def _interrupted() -> None:
    """Wait for Ctrl+C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def _welcome(port: int, seconds: float) -> str:
    base = f"http://127.0.0.1:{port}/api/voice"
    return f"""
Ready after {seconds:.1f} s   (Ctrl+C stops it)

Talk to it in a browser: hold the button, speak, and hear the reply:
  http://127.0.0.1:{port}/

Or send a recording, and save the spoken reply:
  curl -s {base}/process -H 'Accept: audio/wav' --data-binary @samples/hello.wav -o reply.wav
  aplay reply.wav     # afplay on a Mac, or open it

See everything as it happens:
  curl -sN {base}/process -H 'Accept: text/event-stream' --data-binary @samples/hello.wav | cut -c1-160

Type instead:
  curl -s {base}/process -H 'Content-Type: application/json' -d '{{"text": "What can you do?", "speech": "none"}}'

See how the last turns spent their time:
  http://127.0.0.1:{port}/turns.html

More: docs/api.md, {base}/openapi.json
"""


def _sign_in(port: int) -> str:
    return f"""Each of these needs a token, sent with -H "Authorization: Bearer $TOKEN" (docs/identity.md):
  TOKEN=$(curl -s 'http://127.0.0.1:{port}/_emulator/token?sub=anna')
"""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
