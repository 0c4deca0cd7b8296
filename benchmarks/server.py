"""The function app in a separate process, as the local host serves it, with sequential turns at ``/sequential-turn``.

``scripted``: the four ports are `fakes.scripted_ports`, with the delays of `delays`. ``sdk``: they are the product's
own adapters, with the addresses from the environment.
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
from benchmarks.loop_delay import LoopDelay
from benchmarks.sequential_turn import post_sequential_turn
from benchmarks.tones import ToneTts
from fakes.scripted_ports import ScriptedAssistant, ScriptedConversations, ScriptedStt, ScriptedUsageStore
from local_host.functions import host, load_app
from voice_core import wiring
from voice_core.settings import Settings
from voice_core.usecases.turn.services import TurnServices
from voice_core.wiring.lazy import Lazy
from voice_core.wiring.limits import UserLimits

ROOT = Path(__file__).parent.parent
SETTINGS = Settings(
    speech_endpoint="http://127.0.0.1",
    openai_endpoint="http://127.0.0.1",
    cosmos_endpoint="",
    auth_mode="none",
    turns_per_minute=10_000,
    sessions_per_hour=10_000,
    audio_seconds_per_day=10_000_000,
    sessions_max=1000,
    sessions_per_user=1000,
)


class ScriptedApp(wiring.App):
    """The product with scripted services that take the times of `delays`."""

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
    def user_limits(self) -> UserLimits:
        return UserLimits(self.settings, ScriptedUsageStore())


async def get_resources(_request: Request) -> Response:
    """The numbers of tasks, threads and descriptors of this process."""
    gc.collect()
    resources = {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - /proc is in memory
    }
    return JSONResponse(resources)


_LOOP_DELAY = LoopDelay()


async def get_loop(_request: Request) -> Response:
    """The longest time that the event loop was blocked since the last request of this."""
    return JSONResponse({"blockedMs": 1000 * _LOOP_DELAY.take()})


def main(ports: str) -> None:
    if ports == "scripted":
        wiring.app = cache(lambda: ScriptedApp(SETTINGS))
    app = host(load_app(ROOT), ROOT)
    app.routes.append(Route("/sequential-turn", post_sequential_turn, methods=["POST"]))
    app.routes.append(Route("/resources", get_resources))
    app.routes.append(Route("/loop", get_loop))
    # The protocol is given because asyncio turns Nagle's algorithm off only on sockets that have it.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(256)
        print(json.dumps({"url": f"http://127.0.0.1:{listening.getsockname()[1]}"}), flush=True)
        config = uvicorn.Config(app, loop="asyncio", lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1])
