"""The cost of telemetry in import time and in CPU per turn, without a watcher and with Application Insights."""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from time import monotonic, process_time

from benchmarks.figures import BenchmarkFailed, Figure, Target, command, percentile
from benchmarks.phone import phone, recording
from benchmarks.processes import ROOT, Child, child
from voice_core import telemetry
from voice_core.adapters.open_telemetry.exporters import to_azure_monitor
from voice_core.adapters.open_telemetry.sampling import Sampling
from voice_core.adapters.open_telemetry.watcher import OpenTelemetryWatcher
from voice_core.telemetry.turns import Stage, TurnSignal

PEOPLE, TURNS = 10, 6
"""Callers and turns of each, for the CPU of a turn."""
REPORTED_TURNS = 500
"""Turns in a sample of the cost of reporting."""
SAMPLES = 8
ROUNDS = 10
UTTERANCE_SECONDS = 2
SPREAD_SECONDS = 0.3
"""Time between the starts of two callers."""
RATIO = 0.1
"""Share of ordinary turns whose spans are stored, as in prod."""

PROGRAM = """
import sys, time
import azurefunctions.extensions.http.fastapi, voice_core.domain.errors
before, began = set(sys.modules), time.perf_counter()
import voice_core.telemetry
took = (time.perf_counter() - began) * 1000
print(took, sum(not name.startswith("voice_core") for name in set(sys.modules) - before))
"""


async def benchmark() -> AsyncGenerator[Figure]:
    """Measure for a minute and a half."""
    yield imports(ROUNDS)
    turn_ms, least_ms = await turn_cpu_ms("delays"), await turn_cpu_ms("at-once")
    yield Figure(name="CPU of a turn through the SDKs, no watcher", unit="ms", values=[turn_ms])
    yield Figure(name="likewise, services respond at once, in one piece", unit="ms", values=[least_ms])
    cost = partial(_cost, turn_ms=turn_ms, least_ms=least_ms)
    yield cost("reporting without a watcher", [_reporting_ms(flush=lambda: None) for _ in range(SAMPLES)], percent=0.5)
    async with child("benchmarks.collector") as collector:
        for ratio in (RATIO, 1.0):
            with _with_azure_monitor(collector, ratio) as reporting_ms:
                values = [reporting_ms() for _ in range(SAMPLES)]
            yield cost(f"reporting to Application Insights, {ratio:.0%} of the spans", values, percent=3.0)


def imports(rounds: int) -> Figure:
    """Import time that `voice_core.telemetry` adds to a function app, in fresh processes."""
    values, modules = [], 0
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
        milliseconds, foreign = done.stdout.split()
        values.append(float(milliseconds))
        modules = int(foreign)
    targets = (Target("p50", 5.0), Target("foreign_modules", 0))
    return Figure(
        name="import of telemetry", unit="ms", values=values, targets=targets, facts={"foreign_modules": modules}
    )


async def turn_cpu_ms(script: str) -> float:
    """CPU of a turn in milliseconds: all threads of the server, through the SDKs, with the services of *script*."""
    async with (
        child("benchmarks.services", script) as services,
        child("benchmarks.server", "sdk", settings=services.addresses) as server,
    ):
        await _talk(server, 1)
        before = server.cpu_seconds
        await _talk(server, TURNS)
        spent = server.cpu_seconds_since(before)
    if spent is None:
        raise BenchmarkFailed("there is no /proc here to read CPU time from")
    return spent * 1000 / TURNS / PEOPLE


async def _talk(server: Child, turns: int) -> None:
    audio = [recording(UTTERANCE_SECONDS)]

    async def person(who: int) -> None:
        await asyncio.sleep(who * SPREAD_SECONDS)
        async with phone(server.addresses["url"]) as caller:
            for _ in range(turns):
                await caller.turn(audio)

    await asyncio.gather(*map(person, range(PEOPLE)))


def _reporting_ms(flush: Callable[[], object]) -> float:
    """CPU per turn in milliseconds for reporting a turn's calls and its end to the current watchers."""
    telemetry.begin_request(None)
    began = process_time()
    for number in range(REPORTED_TURNS):
        _take_calls()
        telemetry.report_turn(_turn())
        if number % 100 == 99:
            flush()
    return (process_time() - began) * 1000 / REPORTED_TURNS


@contextmanager
def _with_azure_monitor(collector: Child, ratio: float) -> Iterator[Callable[[], float]]:
    """Yields `_reporting_ms` with an exporter to Application Insights, including the sending."""
    providers = to_azure_monitor("voice", collector.addresses["APPLICATIONINSIGHTS_CONNECTION_STRING"])
    watcher = OpenTelemetryWatcher(providers, Sampling(ratio, 5.0), salt="a")
    telemetry.watch(watcher)
    reporting_ms = partial(_reporting_ms, watcher.flush)
    try:
        reporting_ms()
        yield reporting_ms
    finally:
        telemetry.unwatch(watcher)
        watcher.close()


def _take_calls() -> None:
    """Report as many calls as a turn makes."""
    for name in ("recall", "recognize", "synthesize", "synthesize", "append"):
        with telemetry.call(name, {"peer.service": "a service"}):
            pass
    with telemetry.call("chat", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "a model"}) as attributes:
        attributes |= {"gen_ai.usage.input_tokens": 1500, "gen_ai.usage.output_tokens": 80}
    telemetry.request_served("POST", 200, monotonic())


def _turn() -> TurnSignal:
    """A completed turn with all its parts, in a new trace."""
    calls = tuple(telemetry.begin_turn().calls)[-7:]
    span = telemetry.Span(secrets.token_hex(16), secrets.token_hex(8), secrets.token_hex(8))
    return replace(DONE, span=span, calls=calls)


DONE = TurnSignal(
    turn_id="a" * 32,
    user_id="a" * 32,
    span=telemetry.Span("0" * 31 + "1", "0" * 15 + "1"),
    outcome="done",
    degraded=(),
    delivery="events",
    spoken=True,
    transcript_characters=40,
    heard_seconds=2.0,
    speech_bytes=200_000,
    began=1.0,
    ended=2.5,
    timings={"stt": 200, "assistant": 400, "tts": 300, "firstAudio": 900, "total": 1400},
    stages=(Stage("stt", 1.1, 1.3), Stage("assistant", 1.3, 1.7), Stage("tts", 1.7, 2.0)),
    calls=(),
)


def _cost(name: str, values: list[float], *, turn_ms: float, least_ms: float, percent: float) -> Figure:
    """*values*, and their median as a percentage of a turn's CPU."""
    shares = {"percent_of_a_turn": turn_ms, "percent_of_the_cheapest_turn": least_ms}
    return Figure(
        name=f"CPU of {name}",
        unit="ms a turn",
        values=values,
        targets=(Target("percent_of_a_turn", percent),),
        facts={share: round(100 * percentile(values, 50) / whole, 2) for share, whole in shares.items()},
    )


if __name__ == "__main__":
    command(benchmark)
