"""Word error rate of `POST /transcribe` on recordings of people, with the neural engines and with the light ones.

Each recording is sent whole, as its package has it. Texts and transcripts of the last run: ``.local/real_speech``.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from benchmarks.figures import BenchmarkFailed, Figure, Target, command
from benchmarks.processes import child
from benchmarks.real_speech.archives import FOLDER, contents
from benchmarks.real_speech.catalogue import Recording, Source, sources
from benchmarks.real_speech.normalisation import normalised_words
from benchmarks.words import errors

WER_PERCENT = 12.0
"""Target for the neural engines over all words."""
LEAST = {"sources": 3, "speakers": 12, "words": 300}
RESPONSE_SECONDS = 120
REFUSALS = (422, 502, 503, 504)
UNLIMITED = {"TRANSCRIPTS_PER_MINUTE": "1000000"}


@dataclass(frozen=True, slots=True)
class Trial:
    """A recording and its transcript."""

    recording: Recording
    transcript: str | None
    """None if the product refused the recording, for instance because recognition or decoding took too long."""

    @property
    def words(self) -> int:
        return len(normalised_words(self.recording.text))

    @property
    def errors(self) -> int:
        return errors(normalised_words(self.recording.text), normalised_words(self.transcript or ""))


async def benchmark() -> AsyncGenerator[Figure]:
    """Measure for five minutes; the first run downloads the packages before."""
    recordings = [(source, await asyncio.to_thread(contents, source)) for source in sources()]
    for engines in ("neural", "light"):
        heard: dict[Source, list[Trial]] = {}
        async with product(engines) as http:
            for source, files in recordings:
                heard[source] = [await _hear(http, item, files[item.file]) for item in source.recordings]
                yield figure(f"{engines}: {source.name}", {source: heard[source]})
        FOLDER.joinpath(f"{engines}.txt").write_text(report(heard), "utf-8")
        yield figure(f"{engines}: all", heard, judged=engines == "neural")


def figure(name: str, heard: Mapping[Source, list[Trial]], *, judged: bool = False) -> Figure:
    """Word error rates in percent: the distribution over recordings, and the rate over all words."""
    found = [item for items in heard.values() for item in items]
    words, wrong = sum(item.words for item in found), sum(item.errors for item in found)
    facts = {
        "wer_percent": round(100 * wrong / words, 1),
        "errors": wrong,
        "words": words,
        "speakers": len({speaker for source in heard for speaker in source.speakers}),
        "sources": len(heard),
        "failed": sum(item.transcript is None for item in found),
    }
    least = [Target(member, limit, least=True) for member, limit in LEAST.items()]
    return Figure(
        name=name,
        unit="%",
        values=[100 * item.errors / item.words for item in found],
        facts=facts,
        targets=[Target("wer_percent", WER_PERCENT), *least] if judged else (),
    )


def report(heard: Mapping[Source, list[Trial]]) -> str:
    """The words that were said and those that were recognised, recording by recording."""
    return "".join(
        f"{source.package} {item.recording.file}: {item.errors} of {item.words}\n"
        f"  said  {' '.join(normalised_words(item.recording.text))}\n"
        f"  heard {' '.join(normalised_words(item.transcript or ''))}\n"
        for source, items in heard.items()
        for item in items
    )


@asynccontextmanager
async def product(engines: str) -> AsyncIterator[aiohttp.ClientSession]:
    """The product with emulators that recognise with *engines*, once they have been found."""
    async with (
        child("benchmarks.services", "unscripted", settings={"ENGINES": engines}) as services,
        child("benchmarks.server", "sdk", settings={**services.addresses, **UNLIMITED}) as server,
        aiohttp.ClientSession(server.addresses["url"], timeout=aiohttp.ClientTimeout(RESPONSE_SECONDS)) as http,
    ):
        yield http


async def _hear(http: aiohttp.ClientSession, recording: Recording, audio: bytes) -> Trial:
    async with http.post("/api/voice/transcribe", params={"language": "en-US"}, data=audio) as response:
        document: dict[str, Any] = await response.json()
    if response.status == 200 or document["code"] == "no-speech":
        return Trial(recording, str(document.get("transcription", "")))
    if response.status in REFUSALS:
        return Trial(recording, None)
    raise BenchmarkFailed(f"{recording.file}: {document}")


if __name__ == "__main__":
    command(benchmark)
