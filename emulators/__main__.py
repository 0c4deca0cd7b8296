"""Runs the emulators on 127.0.0.1: `azure-voice-emulators`, or `python -m emulators`, until Ctrl+C."""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from emulators.azurite import AzuriteMissing
from emulators.speech.engine_choice import engines_from
from emulators.speech.engines import EngineMissing
from emulators.start import PORTS, PortTaken, check_free, in_background, interrupted, start_emulators, start_storage


def main() -> None:
    options = _arguments().parse_args()
    ports = {**PORTS, **dict(options.port)}
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run({name: ports[name] for name in options.only}, options.data, options.openai_upstream))
    except (PortTaken, AzuriteMissing, EngineMissing) as error:
        sys.exit(f"\n{error}\n")


def _arguments() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="azure-voice-emulators", description=__doc__)
    arguments.add_argument(
        "--only", type=_names, default=[*PORTS], metavar="NAMES", help=f"some of {', '.join(PORTS)}; all by default"
    )
    arguments.add_argument(
        "--port", type=_port, action="append", default=[], metavar="NAME=PORT", help="another port for one of them"
    )
    arguments.add_argument(
        "--data", type=Path, default=Path(".emulators"), help="folder of stored data, and of Azurite; made if missing"
    )
    arguments.add_argument("--openai-upstream", metavar="URL", help="an OpenAI-compatible server that replies instead")
    return arguments


def _names(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    if unknown := sorted(set(names) - PORTS.keys()):
        raise argparse.ArgumentTypeError(f"no emulator is called {', '.join(unknown)}; there are {', '.join(PORTS)}")
    return names


def _port(text: str) -> tuple[str, int]:
    name, _, port = text.partition("=")
    if name not in PORTS or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not like speech=7172")
    return name, int(port)


async def _run(ports: Mapping[str, int], data: Path, upstream: str | None) -> None:
    check_free(ports, {name: f"another port: --port {name}=…" for name in ports})
    engines = engines_from(os.environ)
    async with AsyncExitStack() as stack:
        addresses = await start_emulators(stack, ports, data, engines=engines, upstream=upstream)
        if "storage" in ports:
            storage = await start_storage(stack, ports["storage"], data)
            addresses["storage"] = storage.url()
        _say("".join(f"{name:8} {url}\n" for name, url in addresses.items()) + "Ctrl+C stops them.")
        async with AsyncExitStack() as background:
            if "speech" in ports:
                await background.enter_async_context(in_background(engines.start(_say)))
            await interrupted()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
