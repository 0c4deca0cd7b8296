"""The cost of decoding in processes of their own: time of a recording, of the first one, and after a kill; memory."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import av
import numpy as np

from benchmarks.figures import BenchmarkFailed, Figure, Target, command, percentile
from benchmarks.phone import phone
from benchmarks.processes import child
from fakes.eventually import eventually
from fakes.sound import voice_like
from voice_core.audio.container_decoder import ContainerDecoder
from voice_core.audio.decoder_process.pool import SPARE_PROCESSES, DecoderPool
from voice_core.audio.decoder_process.user_decoder import UserDecoder
from voice_core.audio.in_process import InProcessDecoder
from voice_core.audio.limits import Limits
from voice_core.audio.upload_decoder import Decoding
from voice_core.domain.audio import RECOGNITION_RATE

SECONDS = 5
TIMES = 30
FIRST_TIMES = 5
ADDED = Target("over_p50", 15.0)
IDLE_MEGABYTES = Target("p50", 400.0)


async def benchmark(times: int = TIMES, first_times: int = FIRST_TIMES) -> AsyncGenerator[Figure]:
    """Measure recordings of 5 s, in about half a minute."""
    m4a = _encoded("ipod", "aac")
    files = {"m4a": m4a, "webm": _encoded("webm", "libopus"), "flac": _encoded("flac", "flac")}
    for name, file in files.items():
        here = [await _milliseconds(InProcessDecoder(), file) for _ in range(times)]
        async with _pool() as pool:
            there = [await _milliseconds(UserDecoder(pool, "ann"), file) for _ in range(times)]
        yield Figure(
            name=f"{name} of {SECONDS} s (floor: in process)",
            unit="ms",
            values=there,
            floor=percentile(here, 50),
            targets=(ADDED,),
        )
    first = [await _first_milliseconds(m4a) for _ in range(first_times)]
    yield Figure(name="first m4a, the server is started", unit="ms", values=first)
    after = [await _milliseconds_after_kill(m4a) for _ in range(first_times)]
    yield Figure(name="m4a after its processes were killed", unit="ms", values=after)
    yield await _memory(m4a)


async def _first_milliseconds(file: bytes) -> float:
    pool = DecoderPool(_ignore)
    try:
        return await _milliseconds(UserDecoder(pool, "ann"), file)
    finally:
        await pool.close()


async def _milliseconds_after_kill(file: bytes) -> float:
    async with _pool() as pool:
        for process in _children(_server(pool)):
            os.kill(process, signal.SIGKILL)
        return await _milliseconds(UserDecoder(pool, "ann"), file)


async def _memory(file: bytes) -> Figure:
    """Memory of a worker that has taken a turn through the SDKs, with its decoder server and waiting processes."""
    async with (
        child("benchmarks.services", "at-once") as services,
        child("benchmarks.server", "sdk", settings=services.addresses) as server,
    ):
        async with phone(server.addresses["url"]) as caller:
            (await caller.turn([file])).check()
        processes = [server.pid, *_children(server.pid)]
        processes += [process for other in processes[1:] for process in _children(other)]
        sizes = [_megabytes(process) for process in processes]
    return Figure(
        name="memory of an idle worker and its processes",
        unit="MB",
        values=[sum(sizes)],
        targets=(IDLE_MEGABYTES,),
        facts={"worker": round(sizes[0]), "decoders": round(sum(sizes[1:])), "processes": len(sizes)},
    )


def _megabytes(pid: int) -> float:
    """Proportional set size: pages that processes share count once in all (proc(5), smaps_rollup)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise BenchmarkFailed("this system does not report the memory of processes")


@asynccontextmanager
async def _pool() -> AsyncIterator[DecoderPool]:
    """A pool whose spare processes are waiting."""
    pool = DecoderPool(_ignore)
    try:
        await pool.warm()
        await eventually(lambda: len(_children(_server(pool))) == SPARE_PROCESSES)
        yield pool
    finally:
        await pool.close()


def _server(pool: DecoderPool) -> int:
    if pool.server is None:
        raise BenchmarkFailed("no decoder server can be started")
    return pool.server.pid


def _children(pid: int) -> list[int]:
    """The process ids of the children of all threads of the process *pid* (proc(5))."""
    return [int(text) for file in Path(f"/proc/{pid}/task").glob("*/children") for text in file.read_text().split()]


async def _milliseconds(containers: ContainerDecoder, file: bytes) -> float:
    """Time to decode *file*, which has arrived."""
    begun = perf_counter()
    count = 0
    async for pcm in Decoding(None, Limits(), containers).pcm(_whole(file)):
        count += len(pcm)
    if count < SECONDS * RECOGNITION_RATE:
        raise BenchmarkFailed(f"only {count} bytes of sound")
    # The caller's loop runs on, as between two requests.
    passed = (perf_counter() - begun) * 1000
    await asyncio.sleep(0.05)
    return passed


async def _whole(file: bytes) -> AsyncGenerator[bytes]:
    yield file


def _encoded(container: str, codec: str) -> bytes:
    """Sound of `SECONDS` in a container."""
    rate = 48_000
    samples = np.repeat(np.frombuffer(voice_like(1.0) * SECONDS, "<i2"), rate // RECOGNITION_RATE)
    file = io.BytesIO()
    with av.open(file, "w", format=container) as opened:
        stream = opened.add_stream(codec, rate=rate, layout="mono")
        if not isinstance(stream, av.AudioStream):
            raise TypeError(stream)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        opened.mux(stream.encode(frame))
        opened.mux(stream.encode(None))
    return file.getvalue()


def _ignore(_name: str, _attributes: Mapping[str, Any]) -> None:
    """Events do not matter here."""


if __name__ == "__main__":
    command(benchmark)
