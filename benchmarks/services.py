"""The emulators in a separate process; the argument names one of `SCRIPTS`."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from benchmarks import delays
from emulators.cosmos import cosmos_app
from emulators.openai import openai_app
from emulators.script import Script, Step
from emulators.serving import serving
from emulators.speech import speech_app

SCRIPTS = {"delays": delays.EMULATED, "at-once": delays.AT_ONCE, "unscripted": {}}


async def _serve(name: str) -> None:
    scripts = {"speech": Script(), "openai": Script(), "cosmos": Script()}
    for service, operations in SCRIPTS[name].items():
        for operation, steps in operations.items():
            scripts[service].add(operation, *map(Step.from_json, steps))
    async with emulated(scripts) as addresses:
        print(json.dumps(addresses), flush=True)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()


@asynccontextmanager
async def emulated(scripts: Mapping[str, Script]) -> AsyncIterator[dict[str, str]]:
    """Run the emulators with *scripts*; yields their `settings`."""
    async with (
        serving(speech_app(script=scripts["speech"])) as speech,
        serving(openai_app(script=scripts["openai"])) as openai,
        serving(cosmos_app(None, script=scripts["cosmos"])) as cosmos,
    ):
        yield settings(speech, f"{openai}/v1/", cosmos)


def settings(speech: str, openai: str, cosmos: str) -> dict[str, str]:
    """The settings with which the product uses the emulators at these URLs."""
    return {
        "SPEECH_ENDPOINT": speech,
        "SPEECH_KEY": "local",
        "OPENAI_ENDPOINT": openai,
        "OPENAI_KEY": "local",
        "OPENAI_MODEL": "offline",
        "COSMOS_ENDPOINT": cosmos,
        "COSMOS_KEY": "bG9jYWw=",
        "COSMOS_CREATE": "true",
        "AUTH_MODE": "none",
        "TURNS_PER_MINUTE": "1000000",
        "SPEECHES_PER_MINUTE": "1000000",
        "TRANSCRIPTS_PER_MINUTE": "1000000",
        "AUDIO_SECONDS_PER_DAY": "1000000000",
    }


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
