"""Runs the function app with the emulators, for ``make run``; with ``--emulators-only``, for ``make emulators``."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import aiohttp

from emulators.azurite import AzuriteMissing
from emulators.child_process import stop
from emulators.speech.engine_choice import engines_from
from emulators.speech.engines import EngineMissing
from emulators.start import PortTaken, check_free, free_port, in_background, interrupted, start_emulators, start_storage
from local_host.engines import SpeechEngines
from local_host.front.server import front
from local_host.functions import load_settings
from local_host.installation import Installation
from local_host.uploads import allow_uploads

ENDPOINTS = {
    "speech": "SPEECH_ENDPOINT",
    "openai": "OPENAI_ENDPOINT",
    "cosmos": "COSMOS_ENDPOINT",
    "storage": "STORAGE_URL",
    "issuer": "JWT_ISSUER",
}
START_SECONDS = 60.0
DATA = ".local"
"""Folder of stored data and of Azurite."""
DONE = "neural.done"
"""File in this Python's environment that records the installation of the neural engines, also for the Makefile."""


STORAGE_MISSING = (
    "Clips and speech by URL need Node (https://nodejs.org) for Azurite, which emulates Blob storage."
    " Install Node and run make run again."
)

FRONTED = (
    "Behind a front like that of the Functions host (docs/functions-host.md); the function app is on 127.0.0.1:{port}."
)


class CannotStart(Exception):
    """The message says why and what to do."""


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m local_host", description=__doc__)
    arguments.add_argument("--emulators-only", action="store_true", help="leave the function app out")
    arguments.add_argument(
        "--port", type=int, help="of the function app; 7071 unless local.settings.json says otherwise"
    )
    arguments.add_argument(
        "--neural", type=Path, metavar="FILE", help="install these requirements of the neural engines in the background"
    )
    arguments.add_argument("--front", action="store_true", help="serve behind a front like that of the Functions host")
    arguments.add_argument("--folder", type=Path, default=Path.cwd(), help="where function_app.py is")
    options = arguments.parse_args()
    try:
        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(_run(options))
    except (CannotStart, PortTaken, EngineMissing) as error:
        sys.exit(f"\n{error}\n")


async def _run(options: argparse.Namespace) -> None:
    began = monotonic()
    folder, with_host = options.folder, not options.emulators_only
    # From the first moment on: the processes that have been started by then are stopped.
    running = asyncio.current_task()
    if running is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    settings = load_settings(folder)
    port = options.port or settings.port
    ports = {name: urlsplit(os.environ[setting]).port or 80 for name, setting in ENDPOINTS.items()}
    if not _issues_tokens(os.environ):
        del ports["issuer"]
    remedies = {name: f"another port in {setting} (local.settings.json)" for name, setting in ENDPOINTS.items()}
    check_free(ports | ({"host": port} if with_host else {}), remedies | {"host": "PORT=7171 make run"})
    installation = Installation(options.neural, Path(sys.prefix, DONE)) if options.neural else None
    speech = SpeechEngines(engines_from(os.environ), installation)
    async with AsyncExitStack() as stack:
        upstream = os.environ.get("OPENAI_UPSTREAM")
        await start_emulators(stack, ports, folder / DATA, engines=speech.engines, upstream=upstream)
        if not await _start_storage(stack, folder, ports["storage"], port):
            del ports["storage"]
        if not with_host:
            _say(f"Emulators: {', '.join(f'{name} on {at}' for name, at in ports.items())}. Ctrl+C stops them.")
            await stack.enter_async_context(in_background(speech.start(_say)))
            await interrupted()
            return
        host = await _start_host(stack, folder, port, fronted=options.front)
        _say(_welcome(port, monotonic() - began))
        if "issuer" in ports:
            _say(_sign_in(ports["issuer"]))
        await stack.enter_async_context(in_background(speech.start(_say)))
        await asyncio.wait(
            {asyncio.ensure_future(host.wait()), asyncio.ensure_future(interrupted())}, return_when="FIRST_COMPLETED"
        )


def _issues_tokens(environ: Mapping[str, str]) -> bool:
    """Whether the product requires tokens from an issuer on this machine."""
    return environ.get("AUTH_MODE") == "jwt" and urlsplit(environ["JWT_ISSUER"]).hostname == "127.0.0.1"


async def _start_storage(stack: AsyncExitStack, folder: Path, port: int, page_port: int) -> bool:
    """Start Azurite; False if it cannot run here. Without it, all but clips and stored speech works."""
    try:
        storage = await start_storage(stack, port, folder / DATA)
    except AzuriteMissing:
        _say(f"\n{STORAGE_MISSING}")
        # The product then reports at once that there is no storage, instead of trying to reach it each time.
        os.environ["STORAGE_URL"] = ""
        return False
    os.environ["AzureWebJobsStorage"] = storage.connection()  # noqa: SIM112 - the host spells it so
    await allow_uploads(storage, [f"http://{name}:{page_port}" for name in ("127.0.0.1", "localhost")])
    return True


async def _start_host(stack: AsyncExitStack, folder: Path, port: int, *, fronted: bool) -> asyncio.subprocess.Process:
    """Serve the function app on *port*, or behind a front that is there, and wait until it is ready."""
    inner = free_port() if fronted else port
    host = await stack.enter_async_context(_host(folder, inner))
    await _until_healthy(host, inner)
    if fronted:
        await stack.enter_async_context(front(f"http://127.0.0.1:{inner}", port=port))
        _say(f"\n{FRONTED.format(port=inner)}")
    return host


@asynccontextmanager
async def _host(folder: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the function app in a separate process, so that the emulators' work does not slow it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "local_host.functions", "--folder", str(folder), "--port", str(port)
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
