"""An HTTP client on a bare socket, kept alive between turns, that measures when events arrive."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from benchmarks.figures import BenchmarkFailed
from fakes.sound import voice_like
from voice_core.audio import wav
from voice_core.domain.audio import RECOGNITION_RATE, SAMPLE_BYTES

CHUNK_SECONDS = 0.1
"""Interval at which a phone that streams sends its recorded audio."""


class RequestRefused(BenchmarkFailed):
    """A rate limit is reached; the client may retry after *retry_after* seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"refused for {retry_after:g} s")
        self.retry_after = retry_after


class ResponseFailed(BenchmarkFailed):
    """The response has another *status* than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the response has status {status}")
        self.status = status


def recording(seconds: int) -> bytes:
    """A WAV file as recorded by a phone."""
    return wav.whole(voice_like(1.0) * seconds, RECOGNITION_RATE)


def as_spoken(wav_file: bytes) -> list[bytes]:
    """*wav_file* in the pieces in which a phone sends it while it records."""
    size = round(CHUNK_SECONDS * RECOGNITION_RATE) * SAMPLE_BYTES
    return [wav_file[start : start + size] for start in range(0, len(wav_file), size)]


@dataclass(slots=True)
class ReceivedSpeech:
    """The events of a response; *first* has the milliseconds from the request's last byte to the first of each type."""

    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    pieces: int = 0
    """Number of pieces of speech."""

    def take(self, event: dict[str, Any], sent: float) -> None:
        self.first.setdefault(event["type"], (perf_counter() - sent) * 1000)
        self.last = event
        self.pieces += event["type"] == "speech.audio.delta"

    def check(self) -> None:
        """Check that the turn is complete and has speech.

        Raises:
            BenchmarkFailed: it is not.
        """
        if self.last.get("type") != "turn.done" or self.last["degraded"] or not self.pieces:
            summary = {name: self.last.get(name) for name in ("type", "code", "stage", "degraded", "timings")}
            raise BenchmarkFailed(f"a turn ended with {summary} after {self.pieces} pieces of speech")


class Phone:
    """One connection; one request at a time."""

    def __init__(
        self, host: str, headers: Mapping[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._always = "".join(f"{name}: {value}\r\n" for name, value in {"Host": host, **headers}.items())
        self._reader = reader
        self._writer = writer

    async def turn(self, pieces: Sequence[bytes], pause: float = 0.0) -> ReceivedSpeech:
        """Send *pieces*, each *pause* seconds after the one before, and receive the complete turn as events.

        Raises:
            BenchmarkFailed: the turn was not complete.
        """
        received = ReceivedSpeech()
        sent = await self._post("/api/voice/process", "text/event-stream", pieces, pause)
        async for event in _events(self._response()):
            received.take(event, sent)
        received.check()
        return received

    async def sequential_turn(self, wav_file: bytes) -> float:
        """Milliseconds from the last byte of *wav_file* to the speech, which comes all at once."""
        sent = await self._post("/sequential-turn", "application/json", [wav_file], 0.0)
        document = json.loads(b"".join([chunk async for chunk in self._response()]))
        if not document["audioData"]:
            raise BenchmarkFailed("a sequential turn has no speech")
        return (perf_counter() - sent) * 1000

    async def transcribe(self, pieces: Sequence[bytes], pause: float = 0.0) -> tuple[int, float]:
        """Send *pieces* to /transcribe; returns the status, and milliseconds from the last byte to the response."""
        sent = await self._post("/api/voice/transcribe", "application/json", pieces, pause)
        try:
            _ = [chunk async for chunk in self._response()]
        except ResponseFailed as failure:
            return failure.status, (perf_counter() - sent) * 1000
        return 200, (perf_counter() - sent) * 1000

    async def get(self, path: str) -> bytes:
        self._writer.write(f"GET {path} HTTP/1.1\r\n{self._always}\r\n".encode())
        return b"".join([chunk async for chunk in self._response()])

    async def _post(self, path: str, accept: str, pieces: Sequence[bytes], pause: float) -> float:
        """Send the request; returns the time at which the kernel had its last byte."""
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

    async def _response(self) -> AsyncGenerator[bytes]:
        """The body of a response, as it arrives."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        length = headers.get("content-length")
        if length is not None:
            yield await self._reader.readexactly(int(length))
        else:
            while size := int(await self._reader.readuntil(b"\r\n"), 16):
                yield (await self._reader.readexactly(size + 2))[:-2]
            await self._reader.readexactly(2)
        if head.startswith("http/1.1 429 "):
            raise RequestRefused(float(headers["retry-after"]))
        if not head.startswith("http/1.1 200 "):
            raise ResponseFailed(int(head.split(" ", 2)[1]))


async def _events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[dict[str, Any]]:
    waiting = b""
    async for chunk in chunks:
        *complete, waiting = (waiting + chunk).split(b"\n\n")
        for frame in complete:
            yield json.loads(frame.partition(b"\ndata: ")[2])


@asynccontextmanager
async def phone(url: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[Phone]:
    """A phone that is connected to *url* and sends *headers* with each request."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    # Otherwise `drain` returns while up to 64 kB are still in our buffer, and the clock would start too early.
    writer.transport.set_write_buffer_limits(0)
    try:
        yield Phone(address.netloc, headers or {}, reader, writer)
    finally:
        writer.transport.abort()
