"""Time to the transcript of read speech: recordings sent whole, 3 s that are sent while spoken, and two users at once.

Each part is measured with the neural engines and with the light ones. The clock runs from the last byte of the
recording to the response of /transcribe.
"""

import asyncio
import io
import wave
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmarks.engine_processes import cpu_seconds, memory_mb
from benchmarks.figures import Figure, Target, command
from benchmarks.phone import CHUNK_SECONDS, Phone, as_spoken, phone
from benchmarks.processes import child
from benchmarks.real_speech.archives import contents
from benchmarks.real_speech.catalogue import sources
from voice_core.audio import wav
from voice_core.audio.pcm import Converter
from voice_core.audio.pcm_layout import RawPcm

ENGINES = "neural", "light"
WHOLE_SECONDS = 11, 29, 52, 60
SPOKEN_SECONDS = 3
OK = 200
PACKAGES = "nodejs-whisper", "moonshine-voice", "aeneas-ng"
"""Those of a speech of 11 s, and of two longer readings, in the order in which the sound has them."""
RATE = 16_000
WHOLE = (Target("share_of_length", 1.0), Target("failed", 0))
ALL_SUCCEED = (Target("failed", 0),)


@dataclass(frozen=True, slots=True)
class Size:
    """The numbers of transcripts of each kind; the default takes some three minutes."""

    whole_seconds: Sequence[int] = WHOLE_SECONDS
    whole: int = 3
    spoken: int = 10
    rounds: int = 5


@dataclass(frozen=True, slots=True)
class Product:
    """The product's address, and the process that has started the engines' processes."""

    url: str
    services_pid: int


async def benchmark() -> AsyncGenerator[Figure]:
    """Measure everything, in some three minutes."""
    speech = await asyncio.to_thread(read_speech)
    for engines in ENGINES:
        async for figure in measured(engines, speech, Size()):
            yield figure


async def measured(engines: str, speech: bytes, size: Size) -> AsyncGenerator[Figure]:
    """All figures of *engines*; *speech* is PCM at `RATE`."""
    async with product(engines, speech) as served:
        idle = memory_mb(served.services_pid)
        yield await spoken(engines, served, speech, size.spoken)
        async for figure in two_speakers(engines, served, speech, size.rounds):
            yield figure
        yield _memory(f"{engines}, idle", idle)
        yield _memory(f"{engines}, after two users", memory_mb(served.services_pid))
        for seconds in size.whole_seconds:
            yield await whole(engines, served, speech, seconds, size.whole)
        yield await long_beside_spoken(engines, served, speech, size.rounds)


async def whole(engines: str, served: Product, speech: bytes, seconds: int, times: int) -> Figure:
    """A recording of *seconds*, sent at once."""
    async with phone(served.url) as caller:
        found = [await caller.transcribe([cut(speech, 0, seconds)]) for _ in range(times)]
    figure = _figure(f"{seconds} s sent whole, {engines}", found, WHOLE)
    return _with(figure, share_of_length=round(max(figure.values) / 1000 / seconds, 3))


async def spoken(engines: str, served: Product, speech: bytes, times: int) -> Figure:
    """`SPOKEN_SECONDS` of speech, one after the other; with the engines' CPU time for each."""
    before = cpu_seconds(served.services_pid)
    async with phone(served.url) as caller:
        found = [await _speak(caller, speech, number) for number in range(times)]
    cpu = (cpu_seconds(served.services_pid) - before) / times
    return _with(_figure(f"{SPOKEN_SECONDS} s sent while spoken, {engines}", found), engine_cpu_seconds=round(cpu, 2))


async def two_speakers(engines: str, served: Product, speech: bytes, rounds: int) -> AsyncGenerator[Figure]:
    """Two users who release the button at the same moment: the first transcript, and the second."""
    async with phone(served.url) as one, phone(served.url) as other:
        pairs = [
            sorted(
                await asyncio.gather(_speak(one, speech, 2 * number), _speak(other, speech, 2 * number + 1)),
                key=lambda transcript: transcript[1],
            )
            for number in range(rounds)
        ]
    for rank, found in zip(("first", "second"), zip(*pairs, strict=True), strict=True):
        figure = _figure(f"two speakers, {rank} transcript, {engines}", found)
        yield _with(figure, first_round=round(figure.values[0]))


async def long_beside_spoken(engines: str, served: Product, speech: bytes, rounds: int) -> Figure:
    """`SPOKEN_SECONDS` that are spoken while the longest recording, sent whole at the same time, is transcribed."""
    longest, pairs = max(WHOLE_SECONDS), []
    for number in range(rounds):
        # New connections: the server closes one that is idle while the other one waits.
        async with phone(served.url) as caller, phone(served.url) as other:
            both = _speak(caller, speech, number), other.transcribe([cut(speech, 0, longest)])
            pairs.append(await asyncio.gather(*both))
    beside = _figure("", [long for _, long in pairs])
    return _with(
        _figure(f"{SPOKEN_SECONDS} s beside {longest} s sent whole, {engines}", [short for short, _ in pairs]),
        the_other_seconds=round(max(beside.values) / 1000, 1),
        the_other_failed=int(beside.facts["failed"] or 0),
    )


async def _speak(caller: Phone, speech: bytes, number: int) -> tuple[int, float]:
    begin = number % (len(speech) // (2 * RATE) // SPOKEN_SECONDS) * SPOKEN_SECONDS
    return await caller.transcribe(as_spoken(cut(speech, begin, SPOKEN_SECONDS)), CHUNK_SECONDS)


def read_speech() -> bytes:
    """The recordings of `PACKAGES` one after the other: mono 16-bit PCM at `RATE`."""
    by_package = {source.package: source for source in sources()}
    return b"".join(_pcm(data) for package in PACKAGES for data in contents(by_package[package]).values())


def _pcm(wav_file: bytes) -> bytes:
    with wave.open(io.BytesIO(wav_file)) as sound:
        rate, pcm = sound.getframerate(), sound.readframes(sound.getnframes())
    converter = Converter(RawPcm(rate))
    return converter.feed(pcm) + converter.finish()


def cut(speech: bytes, begin: int, seconds: int) -> bytes:
    """A WAV of *seconds* of *speech*."""
    return wav.whole(speech[2 * RATE * begin : 2 * RATE * (begin + seconds)], RATE)


def _figure(name: str, found: Sequence[tuple[int, float]], targets: Sequence[Target] = ALL_SUCCEED) -> Figure:
    failures = [status for status, _ in found if status != OK]
    return Figure(
        name=name,
        unit="ms",
        values=[milliseconds for _, milliseconds in found],
        facts={"failed": len(failures), **({"status": failures[0]} if failures else {})},
        targets=targets,
    )


def _with(figure: Figure, **facts: float) -> Figure:
    return Figure(
        name=figure.name,
        unit=figure.unit,
        values=figure.values,
        targets=figure.targets,
        facts={**figure.facts, **facts},
    )


def _memory(name: str, sizes: dict[str, float]) -> Figure:
    return Figure(name=f"memory of engine processes, {name}", unit="MB", values=[sum(sizes.values())], facts=sizes)


@asynccontextmanager
async def product(engines: str, speech: bytes) -> AsyncIterator[Product]:
    """The warmed-up product with *engines*: the process that serves first has been used, no other."""
    async with (
        child("benchmarks.services", "unscripted", settings={"ENGINES": engines}) as services,
        child("benchmarks.server", "sdk", settings=services.addresses) as server,
        phone(server.addresses["url"]) as caller,
    ):
        await caller.get("/api/voice/health?warm=1")
        await caller.transcribe([cut(speech, 0, SPOKEN_SECONDS)])
        yield Product(server.addresses["url"], services.pid)


if __name__ == "__main__":
    command(benchmark)
