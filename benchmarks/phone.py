"""A client on a bare socket, kept alive between its turns, that times what it hears."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from benchmarks.figures import BenchmarkFailed
from tests.sound import voice_like
from voice_core.audio import wav
from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES

CHUNK_SECONDS = 0.1
"""A phone that streams sends what it has recorded this often."""


class Refused(BenchmarkFailed):
    """A limit is reached: come back after *retry_after* seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"refused for {retry_after:g} s")
        self.retry_after = retry_after


def recording(seconds: int) -> bytes:
    """A WAV as a phone records it."""
    return wav.whole(voice_like(1.0) * seconds, RECOGNITION_RATE)


def as_spoken(whole: bytes) -> list[bytes]:
    """*whole* in the pieces that a phone sends it in while it records."""
    size = round(CHUNK_SECONDS * RECOGNITION_RATE) * SAMPLE_BYTES
    return [whole[start : start + size] for start in range(0, len(whole), size)]


@dataclass(slots=True)
class Heard:
    """What came back, and how many milliseconds after the last byte of the request each kind of it came first."""

    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    pieces: int = 0
    """Of speech."""

    def take(self, event: dict[str, Any], sent: float) -> None:
        self.first.setdefault(event["type"], (perf_counter() - sent) * 1000)
        self.last = event
        self.pieces += event["type"] == "speech.audio.delta"

    def check(self) -> None:
        """Be sure that it was a whole turn, with nothing missing."""
        if self.last.get("type") != "turn.done" or self.last["degraded"] or not self.pieces:
            told = {name: self.last.get(name) for name in ("type", "code", "stage", "degraded", "timings")}
            raise BenchmarkFailed(f"a turn ended with {told} after {self.pieces} pieces of speech")


class Phone:
    """One connection; one request at a time."""

    def __init__(
        self, host: str, headers: Mapping[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._always = "".join(f"{name}: {value}\r\n" for name, value in {"Host": host, **headers}.items())
        self._reader = reader
        self._writer = writer

    async def turn(self, pieces: Sequence[bytes], pause: float = 0.0) -> Heard:
        """Say *pieces*, each *pause* seconds after the one before, and hear the whole turn as events.

        Raises:
            BenchmarkFailed: it was not a whole turn.
        """
        heard = Heard()
        sent = await self._post("/api/voice/process", "text/event-stream", pieces, pause)
        async for event in _events(self._answer()):
            heard.take(event, sent)
        heard.check()
        return heard

    async def turn_in_plan_order(self, whole: bytes) -> float:
        """Milliseconds from the last byte of *whole* to the speech, which comes all at once."""
        sent = await self._post("/plan-order", "application/json", [whole], 0.0)
        document = json.loads(b"".join([chunk async for chunk in self._answer()]))
        if not document["audioData"]:
            raise BenchmarkFailed("a turn in the plan's order has no speech")
        return (perf_counter() - sent) * 1000

    async def get(self, path: str) -> bytes:
        self._writer.write(f"GET {path} HTTP/1.1\r\n{self._always}\r\n".encode())
        return b"".join([chunk async for chunk in self._answer()])

    async def _post(self, path: str, accept: str, pieces: Sequence[bytes], pause: float) -> float:
        """Send the request; the moment at which the kernel had its last byte."""
        self._writer.write(
            f"POST {path} HTTP/1.1\r\n{self._always}Accept: {accept}\r\nContent-Type: audio/wav\r\n"
            f"Content-Length: {sum(map(len, pieces))}\r\n\r\n".encode()
        )
        began = perf_counter()
        for number, piece in enumerate(pieces, 1):
            if pause:
                await asyncio.sleep(began + number * pause - perf_counter())
            self._writer.write(piece)
            await self._writer.drain()
        return perf_counter()

    async def _answer(self) -> AsyncGenerator[bytes]:
        """The body of a response, as it comes."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        said = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        length = said.get("content-length")
        if length is not None:
            yield await self._reader.readexactly(int(length))
        else:
            while size := int(await self._reader.readuntil(b"\r\n"), 16):
                yield (await self._reader.readexactly(size + 2))[:-2]
            await self._reader.readexactly(2)
        if head.startswith("http/1.1 429 "):
            raise Refused(float(said["retry-after"]))
        if not head.startswith("http/1.1 200 "):
            raise BenchmarkFailed(f"the answer was {head.splitlines()[0]}")


async def _events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[dict[str, Any]]:
    waiting = b""
    async for chunk in chunks:
        *whole, waiting = (waiting + chunk).split(b"\n\n")
        for frame in whole:
            yield json.loads(frame.partition(b"\ndata: ")[2])


@asynccontextmanager
async def phone(url: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[Phone]:
    """A phone that is connected to *url*, and sends *headers* with each request."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    # Else `drain` returns while up to 64 kB are still ours, and the clock would start too soon.
    writer.transport.set_write_buffer_limits(0)
    try:
        yield Phone(address.netloc, headers or {}, reader, writer)
    finally:
        writer.transport.abort()
