"""All services that the processing of clips needs, in a separate process: the emulators, and Azurite.

The argument is the recognition engine. ``tones``: it recognises the language of `fakes.tone_words` without delay.
``paced``: likewise, in 0.2 s for a second of sound. ``words``: the emulator's own engine. Synthesis yields a tone.
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
from fakes.tone_words import ToneRecognizer

ROOT = Path(__file__).parent.parent
PACE = 0.2


async def _serve(engine: str) -> None:
    default, speech = engines_from({}), Script()
    recognizers: dict[str, Recognizer] = {
        "tones": ToneRecognizer(),
        "paced": ToneRecognizer(PACE),
        "words": default.recognizer,
    }
    speech.add("tts", Step(tone=True, repeat=True))
    async with AsyncExitStack() as stack:
        engines = Engines(recognizers[engine], default.synthesizer)
        speech_url = await stack.enter_async_context(serving(speech_app(engines, speech)))
        openai_url = await stack.enter_async_context(serving(openai_app()))
        cosmos_url = await stack.enter_async_context(serving(cosmos_app(None)))
        storage = await stack.enter_async_context(azurite(program(ROOT / ".local" / "azurite")))
        addresses = settings(speech_url, f"{openai_url}/v1/", cosmos_url) | {
            "STORAGE_URL": storage.url(),
            "STORAGE_KEY": KEY,
            "STORAGE_CREATE": "true",
        }
        print(json.dumps(addresses), flush=True)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
