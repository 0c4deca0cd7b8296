"""Time from a client's disconnect until the services stop working for it."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from benchmarks.figures import Figure, Target, command
from benchmarks.phone import recording
from benchmarks.processes import Child, child
from benchmarks.services import emulated
from emulators.script import Script, ServedRequest, Step
from fakes.eventually import eventually
from fakes.hanging_up_client import Caller

TIMES = 20
LIMIT_MS = 100.0
UTTERANCE = recording(4)


@dataclass(frozen=True, slots=True)
class DisconnectPoint:
    """A disconnect while *service* performs *operation* by *step*."""

    name: str
    service: str
    operation: str
    step: Step
    body: bytes = json.dumps({"text": "hi"}).encode()
    promised: int | None = None
    """The request's Content-Length, if its body is sent only in part."""
    until: bytes | None = None
    """The client waits for this in the response before it disconnects; None: it does not wait."""


MOMENTS = (
    DisconnectPoint(
        "the user speaks", "speech", "stt", Step(), UTTERANCE[: len(UTTERANCE) // 2], promised=len(UTTERANCE)
    ),
    DisconnectPoint("the assistant thinks", "openai", "chat", Step(hang=True)),
    DisconnectPoint(
        "the assistant writes", "openai", "chat", Step(text="one " * 200, tokens_per_second=10), until=b"one"
    ),
    DisconnectPoint(
        "the reply is spoken",
        "speech",
        "tts",
        Step(tone=True, real_time_factor=0.5, repeat=True),
        until=b"speech.audio.delta",
    ),
)


async def benchmark(times: int = TIMES) -> AsyncGenerator[Figure]:
    """Measure *times* disconnects at each moment, with the product in a separate process, in a few seconds."""
    scripts = {"speech": Script(), "openai": Script(), "cosmos": Script()}
    async with emulated(scripts) as settings, child("benchmarks.server", "sdk", settings=settings) as server:
        for moment in MOMENTS:
            yield Figure(
                name=f"disconnect while {moment.name}",
                unit="ms",
                values=[await _stopped_ms(server, scripts[moment.service], moment) for _ in range(times)],
                targets=(Target("p95", LIMIT_MS),),
            )


async def _stopped_ms(server: Child, script: Script, moment: DisconnectPoint) -> float:
    """Milliseconds from the client's disconnect to the end of the last request that was in progress for it.

    Raises:
        TimeoutError: a request was not ended.
    """
    script.clear()
    script.add(moment.operation, moment.step)
    caller = Caller(f"{server.addresses['url']}/api/voice")
    await caller.call(moment.body, promised=moment.promised)
    if moment.until is not None:
        await caller.until(moment.until)
    await eventually(lambda: _under_way(script, moment.operation))
    working = _under_way(script, moment.operation)
    disconnected = caller.disconnect()
    await eventually(lambda: not _under_way(script, moment.operation))
    return (max(served.ended or disconnected for served in working) - disconnected) * 1000


def _under_way(script: Script, operation: str) -> list[ServedRequest]:
    return [served for served in script.served if served.operation == operation and served.ended is None]


if __name__ == "__main__":
    command(benchmark)
