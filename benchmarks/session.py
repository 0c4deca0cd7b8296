"""Sessions: the time from the release of the button to the reply, and the cost of a session.

The clock runs from the client's release to the arrival of the first RTP packet that decodes to sound, before any jitter
buffer of the client. The client is aiortc in this process, the product runs in another. With ``--cycles N``: see
`cycles`.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import aiohttp

from benchmarks import delays
from benchmarks.cycles import cycles
from benchmarks.figures import BenchmarkFailed, Figure, Target, command
from benchmarks.load import MEGABYTE
from benchmarks.peer import negotiate, session
from benchmarks.processes import Child, child
from benchmarks.tones import TONES
from fakes.eventually import eventually
from fakes.webrtc import Caller, ReceivedAudio, tones

HOLD_SECONDS = 1.0
PAUSE_SECONDS = 0.3
FRAME_SECONDS = 0.02
ENDS = ("turn.done", "error")
"""Events that end a turn."""
SENT_SECONDS = delays.SPEECH_SECONDS * sum(map(len, delays.SENTENCES)) / len(delays.REPLY)
"""Speech in a reply; the spaces between its sentences are not synthesised."""
SPREAD_SECONDS = 4.0
"""Concurrent sessions begin within this time."""

ALONE = (Target("over_p50", 8), Target("over_p95", 15))
COST = (Target("cpu_seconds_a_turn", 0.5),)
WHOLE = (Target("stale_packets", 0), Target("length_error_ms", 40))


@dataclass(frozen=True, slots=True)
class Size:
    """The numbers of measurements."""

    turns: int = 20
    warm_turns: int = 3
    sessions: int = 10
    session_turns: int = 4
    crowd: int = 20
    crowd_turns: int = 3
    negotiations: int = 40
    interruptions: int = 20
    turns_through_sdks: int = 15


@dataclass(slots=True)
class SpokenTurn:
    """The received audio of one turn."""

    first_ms: float
    seconds: float
    tones: set[int] = field(default_factory=set)
    stale: int = 0
    """Packets that belong to the reply before it."""


async def benchmark() -> AsyncGenerator[Figure]:
    """Measure everything, in some four minutes."""
    size = Size()
    async with product("scripted") as server:
        async for figure in in_process(server, size):
            yield figure
    async with child("benchmarks.services", "delays") as services, product("sdk", services) as server:
        yield await through_sdks(server, size)


@asynccontextmanager
async def product(ports: str, services: Child | None = None) -> AsyncIterator[Child]:
    """The product's server after a first session."""
    async with child("benchmarks.server", ports, settings=services.addresses if services else None) as server:
        async with session(server) as caller:
            await turns(caller, 1)
        yield server


async def in_process(server: Child, size: Size) -> AsyncGenerator[Figure]:
    """The delays are in the ports, inside the server's process: this measures what the product itself adds."""
    async with session(server) as caller:
        await turns(caller, size.warm_turns)
        before = server.cpu_seconds
        spoken = await turns(caller, size.turns)
        cost = _cost(server, before, size.turns)
    stale = {"stale_packets": sum(turn.stale for turn in spoken)}
    yield _figure("in process, one session", spoken, (*ALONE, *COST, *WHOLE), {**cost, **stale})
    yield await _crowd(server, size.sessions, size.session_turns, (Target("over_p95", 30), *COST))
    yield await _crowd(server, size.crowd, size.crowd_turns, ())
    yield await interruptions(server, size.interruptions)
    yield await negotiations(server, size.negotiations)


async def through_sdks(server: Child, size: Size) -> Figure:
    """The delays are in the emulators, behind the vendors' own SDKs; each reply is cancelled after its first sound."""
    async with session(server) as caller:
        for _ in range(size.warm_turns):
            await _first_sound(caller)
        values = [await _first_sound(caller) for _ in range(size.turns_through_sdks)]
    return Figure(
        name="through the SDKs, one session",
        unit="ms",
        values=values,
        floor=delays.STREAMED_MS,
        targets=(Target("over_p50", 60),),
    )


async def turns(caller: Caller, count: int) -> list[SpokenTurn]:
    """Take *count* turns: hold the button, speak, release it, and receive the reply to its end."""
    return [await _turn(caller) for _ in range(count)]


async def _turn(caller: Caller) -> SpokenTurn:
    done = len(caller.all_received(*ENDS))
    released = await _speak(caller)
    await caller.until(lambda: len(caller.all_received(*ENDS)) > done)
    await asyncio.sleep(PAUSE_SECONDS)
    last, sound = caller.all_received(*ENDS)[-1], caller.sound(released)
    if last["type"] == "error" or last["degraded"] or not sound:
        raise BenchmarkFailed(f"a turn ended with {last}")
    return _spoken(sound, released)


async def _first_sound(caller: Caller) -> float:
    """Milliseconds from the release to the first sound of the reply, which is then cancelled."""
    done = len(caller.all_received(*ENDS))
    released = await _speak(caller)
    await eventually(lambda: caller.sound(released))
    caller.say("response.cancel")
    await caller.until(lambda: len(caller.all_received(*ENDS)) > done)
    await asyncio.sleep(PAUSE_SECONDS)
    return (caller.sound(released)[0].at - released) * 1000


async def _speak(caller: Caller) -> float:
    """Hold the button while speaking; returns the time of its release, at a random phase of the 20 ms frames."""
    caller.press()
    await asyncio.sleep(HOLD_SECONDS + random.uniform(0, FRAME_SECONDS))
    return caller.release()


def _spoken(sound: Sequence[ReceivedAudio], released: float) -> SpokenTurn:
    pitches = [min(TONES, key=lambda tone: abs(one.hertz - tone)) for one in sound]
    stale = next((n for n, pitch in enumerate(pitches) if pitch == pitches[len(pitches) // 2]), 0)
    return SpokenTurn((sound[0].at - released) * 1000, len(sound) * FRAME_SECONDS, tones(sound), stale)


def _figure(name: str, spoken: Sequence[SpokenTurn], targets: Sequence[Target], facts: Mapping[str, float]) -> Figure:
    seconds = [turn.seconds for turn in spoken]
    whole = {
        "shortest_s": round(min(seconds), 2),
        "longest_s": round(max(seconds), 2),
        "length_error_ms": round(1000 * max(abs(s - SENT_SECONDS) for s in seconds)),
    }
    return Figure(
        name=name,
        unit="ms",
        values=[turn.first_ms for turn in spoken],
        floor=delays.STREAMED_MS,
        targets=targets,
        facts={**facts, **whole},
    )


def _cost(server: Child, before: float | None, count: int) -> dict[str, float]:
    cpu = server.cpu_seconds_since(before)
    return {} if cpu is None else {"cpu_seconds_a_turn": round(cpu / count, 3)}


async def _crowd(server: Child, count: int, each: int, targets: Sequence[Target]) -> Figure:
    """Concurrent sessions: failed turns, CPU, and memory per session."""
    empty = server.resident_bytes or 0
    async with AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(session(server)) for _ in range(count)]
        await asyncio.sleep(1)
        memory = {"megabytes_a_session": round(((server.resident_bytes or 0) - empty) / count / MEGABYTE, 2)}
        before = server.cpu_seconds
        talking = (_later(SPREAD_SECONDS * n / count, caller, each) for n, caller in enumerate(callers))
        results = await asyncio.gather(*talking, return_exceptions=True)
    failures = [one for one in results if isinstance(one, BaseException)]
    for failure in failures:
        print(f"failed: {failure!r}", file=sys.stderr)
    spoken = list(chain.from_iterable(turns for turns in results if not isinstance(turns, BaseException)))
    facts = {"failed": len(failures), **_cost(server, before, count * each), **memory}
    return _figure(f"in process, {count} sessions", spoken, (Target("failed", 0), *targets), facts)


async def _later(seconds: float, caller: Caller, count: int) -> list[SpokenTurn]:
    await asyncio.sleep(seconds)
    return await turns(caller, count)


async def interruptions(server: Child, count: int) -> Figure:
    """Time from the press of the button while the reply plays to the last packet with sound."""
    values = []
    async with session(server) as caller:
        for number in range(count):
            caller.press()
            await asyncio.sleep(HOLD_SECONDS)
            released = caller.release()
            await asyncio.sleep(1.4 + random.uniform(0, FRAME_SECONDS))
            pressed = caller.press()
            await asyncio.sleep(0.4)
            if not caller.sound(released):
                raise BenchmarkFailed("there was no reply to interrupt")
            late = caller.sound(pressed)
            values.append((late[-1].at - pressed) * 1000 if late else 0.0)
            caller.say("response.cancel")
            await caller.received("turn.done", 2 * number + 2)
    return Figure(name="button down to silence", unit="ms", values=values, targets=(Target("p95", 60),))


async def negotiations(server: Child, count: int) -> Figure:
    """Time from the offer to the answer, with complete ICE gathering."""
    values = []
    async with aiohttp.ClientSession(server.addresses["url"]) as http:
        for _ in range(count):
            caller = Caller()
            values.append(await negotiate(http, caller))
            await caller.connected()
            await caller.close()
    return Figure(
        name="negotiation",
        unit="ms",
        values=values,
        targets=(Target("p95", 150),),
        facts={"first_ms": round(values[0])},
    )


def now() -> float:
    return asyncio.get_running_loop().time()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(add_help=False)
    arguments.add_argument("--cycles", type=int, help="open and close this many sessions instead")
    options, sys.argv[1:] = arguments.parse_known_args()
    command(partial(cycles, options.cycles) if options.cycles else benchmark)
