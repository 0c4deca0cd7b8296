"""Time to the first sound of the reply, compared with sequential turns in the same run.

The clock runs from the last byte of the request to the first piece of speech, read from the event stream by a client in
a separate process.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import chain

from benchmarks import delays
from benchmarks.figures import Figure, Target, command, percentile
from benchmarks.phone import CHUNK_SECONDS, Phone, ReceivedSpeech, as_spoken, phone, recording
from benchmarks.processes import Child, child

UTTERANCE_SECONDS = 3
SPREAD_SECONDS = 2.0
"""Phones that are spread begin within this time."""
PAUSE_SECONDS = 0.15, 0.45
"""Shortest and longest pause between the turns of such a phone."""
APART_SECONDS = 0.37
"""Time between the starts of utterances of the same length."""

ALONE = (Target("over_p50", 10), Target("over_p95", 20))
TOGETHER = (Target("over_p95", 40),)
THROUGH_SDKS = (Target("over_p50", 60), Target("over_p95", 120))
SOONER = Target("p50", 2.2, least=True)
GROWTH_MS = 10
"""Allowed growth; less than this is the noise of a busy machine."""


@dataclass(frozen=True, slots=True)
class Size:
    """The numbers of turns of each kind; the default takes some three minutes."""

    in_process: int = 50
    sequential: int = 3
    phones: int = 50
    spread_turns: int = 2
    bursts: int = 3
    through_sdks: int = 20
    sequential_through_sdks: int = 2
    phones_through_sdks: int = 10
    uploads: int = 4
    upload_seconds: tuple[int, ...] = (5, 15, 30)


async def benchmark() -> AsyncGenerator[Figure]:
    """Measure everything, in some three minutes."""
    size = Size()
    async with product("scripted") as server:
        async for figure in in_process(server, size):
            yield figure
    async with child("benchmarks.services", "delays") as services, product("sdk", services) as server:
        async for figure in through_sdks(server, size):
            yield figure
        async for figure in uploads(server, size):
            yield figure


@asynccontextmanager
async def product(ports: str, services: Child | None = None) -> AsyncIterator[Child]:
    """The product's server, warmed up."""
    async with child("benchmarks.server", ports, settings=services.addresses if services else None) as server:
        url = server.addresses["url"]
        async with phone(url) as caller:
            await caller.get("/api/voice/health?warm=1")
        await _bursts(url, phones=3, bursts=1)
        yield server


async def in_process(server: Child, size: Size) -> AsyncGenerator[Figure]:
    """The delays are in the ports, inside the server's process: this measures what the product itself adds."""
    url, floor = server.addresses["url"], delays.SEQUENTIAL_MS
    streamed = await _first_sound("in process, one at a time", server, _one_by_one(url, size.in_process), ALONE)
    yield streamed
    sequential = await _sequential("in process, sequential", url, size.sequential, floor)
    for figure in (sequential, _sooner("in process", sequential, streamed)):
        yield figure
    phones = f"in process, {size.phones} phones"
    yield await _first_sound(f"{phones}, spread", server, _spread(url, size.phones, size.spread_turns), TOGETHER)
    yield await _first_sound(f"{phones}, in one burst", server, _bursts(url, size.phones, size.bursts), TOGETHER)


async def through_sdks(server: Child, size: Size) -> AsyncGenerator[Figure]:
    """The delays are in the emulators, behind the vendors' own SDKs."""
    url, floor = server.addresses["url"], delays.SEQUENTIAL_MS
    turns = _one_by_one(url, size.through_sdks)
    streamed = await _first_sound("through the SDKs, one at a time", server, turns, THROUGH_SDKS)
    yield streamed
    sequential = await _sequential("through the SDKs, sequential", url, size.sequential_through_sdks, floor)
    for figure in (sequential, _sooner("through the SDKs", sequential, streamed)):
        yield figure
    phones = size.phones_through_sdks
    turns = _spread(url, phones, size.spread_turns)
    yield await _first_sound(f"through the SDKs, {phones} phones, spread", server, turns, ())


async def uploads(server: Child, size: Size) -> AsyncGenerator[Figure]:
    """Time to the transcript of an utterance that is sent while it is spoken: it must not grow with the length."""
    url, lengths = server.addresses["url"], size.upload_seconds
    received = await asyncio.gather(*(_while_spoken(url, seconds, size.uploads) for seconds in lengths))
    waits = [[turn.first["transcript.text.done"] for turn in turns] for turns in received]
    for seconds, values in zip(lengths, waits, strict=True):
        growth = round(percentile(values, 50) - percentile(waits[0], 50), 1)
        yield Figure(
            name=f"transcript of {seconds} s, sent while spoken",
            unit="ms",
            values=values,
            floor=1000 * delays.FINAL_SECONDS,
            facts={"growth": growth},
            targets=(Target("growth", GROWTH_MS),),
        )


async def _first_sound(
    name: str, server: Child, turns: Coroutine[None, None, list[ReceivedSpeech]], targets: Sequence[Target]
) -> Figure:
    before = server.cpu_seconds
    received = await turns
    cpu = server.cpu_seconds_since(before)
    return Figure(
        name=name,
        unit="ms",
        values=[turn.first["speech.audio.delta"] for turn in received],
        floor=delays.STREAMED_MS,
        targets=targets,
        facts={} if cpu is None else {"cpu_seconds_a_turn": round(cpu / len(received), 4)},
    )


async def _sequential(name: str, url: str, turns: int, floor: float) -> Figure:
    audio = recording(UTTERANCE_SECONDS)
    async with phone(url) as caller:
        values = [await caller.sequential_turn(audio) for _ in range(turns)]
    return Figure(name=name, unit="ms", values=values, floor=floor)


def _sooner(name: str, sequential: Figure, streamed: Figure) -> Figure:
    ratio = percentile(sequential.values, 50) / percentile(streamed.values, 50)
    return Figure(name=f"{name}, sooner than sequential", unit="times", values=[ratio], targets=(SOONER,))


async def _one_by_one(url: str, turns: int) -> list[ReceivedSpeech]:
    audio = [recording(UTTERANCE_SECONDS)]
    async with phone(url) as caller:
        return [await caller.turn(audio) for _ in range(turns)]


async def _spread(url: str, phones: int, turns: int) -> list[ReceivedSpeech]:
    """Phones begin at random times, and pause between their turns."""
    audio = [recording(UTTERANCE_SECONDS)]

    async def talk(caller: Phone) -> list[ReceivedSpeech]:
        await asyncio.sleep(random.uniform(0, SPREAD_SECONDS))
        received = []
        for _ in range(turns):
            received.append(await caller.turn(audio))
            await asyncio.sleep(random.uniform(*PAUSE_SECONDS))
        return received

    async with _phones(url, phones) as callers:
        return list(chain(*await asyncio.gather(*map(talk, callers))))


async def _bursts(url: str, phones: int, bursts: int) -> list[ReceivedSpeech]:
    """All phones send at the same instant, again and again."""
    audio = [recording(UTTERANCE_SECONDS)]
    async with _phones(url, phones) as callers:
        return [received for _ in range(bursts) for received in await asyncio.gather(*(c.turn(audio) for c in callers))]


async def _while_spoken(url: str, seconds: int, phones: int) -> list[ReceivedSpeech]:
    """Each phone sends an utterance of *seconds* at the pace of speech; the ends do not coincide."""
    audio = as_spoken(recording(seconds))

    async def speak(number: int, caller: Phone) -> ReceivedSpeech:
        await asyncio.sleep(number * APART_SECONDS)
        return await caller.turn(audio, CHUNK_SECONDS)

    async with _phones(url, phones) as callers:
        return await asyncio.gather(*(speak(number, caller) for number, caller in enumerate(callers)))


@asynccontextmanager
async def _phones(url: str, count: int) -> AsyncIterator[list[Phone]]:
    """Phones whose connections the server has accepted."""
    async with AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(phone(url)) for _ in range(count)]
        await asyncio.gather(*(caller.get("/api/voice/health") for caller in callers))
        yield callers


if __name__ == "__main__":
    command(benchmark)
