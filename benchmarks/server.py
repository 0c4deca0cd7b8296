"""The function app in a process of its own, as the local host serves it, with the plan's order beside it.

``scripted``: the four ports are `tests.scripted`, with the delays of `delays`. ``sdk``: they are the product's own
adapters, at the addresses that the environment names.
"""

import asyncio
import gc
import json
import os
import socket
import sys
import threading
from functools import cache
from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks import delays
from benchmarks.plan_order import post_in_plan_order
from benchmarks.tones import ToneTts
from emulators.functions import host, load_app
from tests.scripted import ScriptedAdmissions, ScriptedAssistant, ScriptedConversations, ScriptedStt
from voice_core import wiring
from voice_core.settings import Settings
from voice_core.usecases.turn.services import TurnServices
from voice_core.wiring.lazy import Lazy
from voice_core.wiring.limits import Quotas

ROOT = Path(__file__).parent.parent
NOWHERE = Settings(
    speech_endpoint="http://127.0.0.1",
    openai_endpoint="http://127.0.0.1",
    cosmos_endpoint="",
    auth_mode="none",
    turns_per_minute=10_000,
    sessions_per_hour=10_000,
    audio_seconds_per_day=10_000_000,
    sessions_max=1000,
)


class ScriptedApp(wiring.App):
    """The product with company that takes the time it is told to."""

    @Lazy
    def services(self) -> TurnServices:
        assistant = ScriptedAssistant(
            delays.REPLY,
            first_seconds=delays.FIRST_TOKEN_SECONDS,
            tokens_per_second=delays.TOKENS_PER_SECOND,
        )
        tts = ToneTts(
            first_seconds=delays.FIRST_SPEECH_SECONDS,
            real_time_factor=delays.REAL_TIME_FACTOR,
            seconds_per_character=delays.SPEECH_SECONDS / len(delays.REPLY),
        )
        return TurnServices(
            stt=self.guards.stt(ScriptedStt(text=delays.HEARD, final_seconds=delays.FINAL_SECONDS), None),
            assistant=self.guards.assistant(assistant, None),
            tts=self.guards.tts(tts, None),
            conversations=self.guards.store(
                ScriptedConversations(), "conversations", self.settings.conversations_seconds
            ),
        )

    @Lazy
    def quotas(self) -> Quotas:
        return Quotas(self.settings, ScriptedAdmissions())


async def get_held(_request: Request) -> Response:
    """What the process holds on to just now."""
    gc.collect()
    held = {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - a look at memory, no disk
    }
    return JSONResponse(held)


def main(ports: str) -> None:
    if ports == "scripted":
        wiring.app = cache(lambda: ScriptedApp(NOWHERE))
    app = host(load_app(ROOT), ROOT)
    app.routes.append(Route("/plan-order", post_in_plan_order, methods=["POST"]))
    app.routes.append(Route("/held", get_held))
    # With its protocol named: asyncio turns Nagle's algorithm off on nothing else.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(256)
        print(json.dumps({"url": f"http://127.0.0.1:{listening.getsockname()[1]}"}), flush=True)
        config = uvicorn.Config(app, loop="asyncio", lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1])
