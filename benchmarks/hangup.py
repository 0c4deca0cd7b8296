"""How soon after a caller hangs up the services stop working for them."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from benchmarks.figures import Figure, Target, command
from benchmarks.phone import recording
from benchmarks.processes import Child, child
from benchmarks.services import emulated
from emulators.script import Script, Served, Step
from tests.eventually import eventually
from tests.hanging_up_client import Caller

TIMES = 20
LIMIT_MS = 100.0
UTTERANCE = recording(4)


@dataclass(frozen=True, slots=True)
class Moment:
    """Somebody leaves while *service* does *operation* as *step* has it."""

    name: str
    service: str
    operation: str
    step: Step
    said: bytes = json.dumps({"text": "hi"}).encode()
    promised: int | None = None
    """Bytes of the request, if not all are sent."""
    until: bytes | None = None
    """What they hear before; None: nothing."""


MOMENTS = (
    Moment("they speak", "speech", "stt", Step(), UTTERANCE[: len(UTTERANCE) // 2], promised=len(UTTERANCE)),
    Moment("the assistant thinks", "openai", "chat", Step(hang=True)),
    Moment("it writes", "openai", "chat", Step(text="one " * 200, tokens_per_second=10), until=b"one"),
    Moment(
        "it speaks", "speech", "tts", Step(tone=True, real_time_factor=0.5, repeat=True), until=b"speech.audio.delta"
    ),
)


async def benchmark(times: int = TIMES) -> AsyncGenerator[Figure]:
    """So many hang-ups at each moment, of a product in a process of its own: a few seconds."""
    scripts = {"speech": Script(), "openai": Script(), "cosmos": Script()}
    async with emulated(scripts) as settings, child("benchmarks.server", "sdk", settings=settings) as server:
        for moment in MOMENTS:
            yield Figure(
                name=f"left while {moment.name}",
                unit="ms",
                values=[await _stopped_ms(server, scripts[moment.service], moment) for _ in range(times)],
                targets=(Target("p95", LIMIT_MS),),
            )


async def _stopped_ms(server: Child, script: Script, moment: Moment) -> float:
    """From the close of the caller's connection to the end of the last request that was under way for them.

    Raises:
        TimeoutError: there is one that nobody ended.
    """
    script.clear()
    script.add(moment.operation, moment.step)
    caller = Caller(f"{server.told['url']}/api/voice")
    await caller.call(moment.said, promised=moment.promised)
    if moment.until is not None:
        await caller.until(moment.until)
    await eventually(lambda: _under_way(script, moment.operation))
    working = _under_way(script, moment.operation)
    left = caller.hang_up()
    await eventually(lambda: not _under_way(script, moment.operation))
    return (max(served.ended or left for served in working) - left) * 1000


def _under_way(script: Script, operation: str) -> list[Served]:
    return [served for served in script.served if served.operation == operation and served.ended is None]


if __name__ == "__main__":
    command(benchmark)
