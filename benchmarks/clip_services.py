"""All that the work on clips needs, in a process of its own: the emulators, and Azurite.

``tones``: recognition knows the language of `tests.tone_words`, and takes no time. ``paced``: it takes 0.2 s for a
second of sound. ``words``: it is the emulator's own. Speech is a hum.
"""

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.services import settings
from emulators.azurite import KEY, azurite, program
from emulators.cosmos import cosmos_app
from emulators.openai import openai_app
from emulators.script import Script, Step
from emulators.serving import serving
from emulators.speech import speech_app
from emulators.speech.engine_choice import engines_from
from emulators.speech.engines import Engines, Recognizer
from tests.tone_words import ToneRecognizer

ROOT = Path(__file__).parent.parent
PACE = 0.2


async def _serve(engine: str) -> None:
    usual, speech = engines_from({}), Script()
    recognizers: dict[str, Recognizer] = {
        "tones": ToneRecognizer(),
        "paced": ToneRecognizer(PACE),
        "words": usual.recognizer,
    }
    speech.add("tts", Step(tone=True, repeat=True))
    async with AsyncExitStack() as stack:
        engines = Engines(recognizers[engine], usual.synthesizer)
        speech_url = await stack.enter_async_context(serving(speech_app(engines, speech)))
        openai_url = await stack.enter_async_context(serving(openai_app()))
        cosmos_url = await stack.enter_async_context(serving(cosmos_app(None)))
        storage = await stack.enter_async_context(azurite(program(ROOT / ".local" / "azurite")))
        told = settings(speech_url, f"{openai_url}/v1/", cosmos_url) | {
            "STORAGE_URL": storage.url(),
            "STORAGE_KEY": KEY,
            "STORAGE_CREATE": "true",
        }
        print(json.dumps(told), flush=True)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
