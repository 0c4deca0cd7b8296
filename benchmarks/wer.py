"""Word error rate: the product synthesises sentences and recognises its own speech.

With paths of recordings as arguments, it prints the transcript of each instead.
"""

import asyncio
import shutil
import sys
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.figures import BenchmarkFailed, Figure, Target, command
from benchmarks.processes import child
from benchmarks.words import errors, words

SENTENCES = (
    "What is the weather like in London tomorrow?",
    "Set a timer for ten minutes.",
    "Play some quiet music in the kitchen.",
    "How do I get to the train station from here?",
    "Remind me to call my mother at six o'clock.",
    "Turn off the lights in the bedroom.",
    "Add milk and eggs to the shopping list.",
    "What time does the museum open on Sunday?",
    "Send a message to Peter and tell him that I am running late.",
    "How far is it from Paris to Berlin?",
    "Wake me up at half past seven.",
    "Tell me a story about a cat and a dog.",
    "Who wrote the book that I am reading?",
    "Is there a pharmacy near the office?",
    "Make the living room a little warmer, please.",
    "What is on my calendar for Wednesday afternoon?",
    "How many people live in Australia?",
    "Skip this song and turn the volume down.",
    "Book a table for four at the Italian restaurant.",
    "Thank you, that is all for today.",
)
VOCABULARY = tuple(sorted({word for sentence in SENTENCES for word in words(sentence)}))
FLITE_MISSING = "flite is not installed, so its row is left out: apt-get install flite"
RESPONSE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Trial:
    """A synthesis engine, and a phrase list for recognition."""

    name: str
    engine: str
    phrases: Sequence[str] = ()
    limit: float | None = None
    """Target for the word error rate in percent."""


TRIALS = (
    Trial("flite, no phrase list", "flite", limit=10),
    Trial("espeak-ng, the vocabulary as phrase list", "espeak-ng", VOCABULARY, limit=15),
    Trial("espeak-ng, no phrase list", "espeak-ng"),
)


async def benchmark() -> AsyncGenerator[Figure]:
    """Measure for a minute or two."""
    for trial in TRIALS:
        if trial.engine == "flite" and shutil.which("flite") is None:
            print(FLITE_MISSING, file=sys.stderr)
        else:
            yield await word_error_rate(trial, SENTENCES)


async def word_error_rate(trial: Trial, sentences: Sequence[str]) -> Figure:
    """Word error rates in percent: the distribution over *sentences*, and the rate over all words."""
    wrong, total, rates = 0, 0, []
    async with product(trial.engine) as spoken:
        for sentence in sentences:
            spoken_words = words(sentence)
            missed = errors(spoken_words, words(await spoken.transcript(await spoken.speech(sentence), trial.phrases)))
            rates.append(100 * missed / len(spoken_words))
            wrong, total = wrong + missed, total + len(spoken_words)
    return Figure(
        name=f"words misheard, {trial.name}",
        unit="%",
        values=rates,
        facts={"wer_percent": round(100 * wrong / total, 1), "words": total, "errors": wrong},
        targets=() if trial.limit is None else (Target("wer_percent", trial.limit),),
    )


class SpokenProduct:
    """The product's speech and transcript endpoints."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def speech(self, text: str) -> bytes:
        """A WAV of *text*, from /speak."""
        async with self._http.post("/api/voice/speak", json={"text": text}) as response:
            if response.status != 200:
                raise BenchmarkFailed(await response.text())
            return await response.read()

    async def transcript(self, recording: bytes, phrases: Sequence[str] = ()) -> str:
        """The transcript of *recording*, from /process."""
        body = {"audioData": b64encode(recording).decode(), "phrases": list(phrases), "speech": "none"}
        async with self._http.post("/api/voice/process", json=body) as response:
            document: dict[str, Any] = await response.json()
        if response.status != 200 and document["code"] != "no-speech":
            raise BenchmarkFailed(str(document))
        return str(document.get("transcription", ""))


@asynccontextmanager
async def product(engine: str) -> AsyncIterator[SpokenProduct]:
    """The warmed-up product with emulators that synthesise with *engine* and recognise for real."""
    async with (
        child("benchmarks.services", "unscripted", settings={"SPEECH_TTS_ENGINE": engine}) as services,
        child("benchmarks.server", "sdk", settings=services.addresses) as server,
        aiohttp.ClientSession(server.addresses["url"], timeout=aiohttp.ClientTimeout(RESPONSE_SECONDS)) as http,
    ):
        spoken = SpokenProduct(http)
        await spoken.transcript(await spoken.speech("Hello."))
        yield spoken


async def recordings(paths: Sequence[str]) -> None:
    """Print the transcripts of the files at *paths*, which are sent unchanged."""
    async with product("auto") as spoken:
        for path in paths:
            print(f"{path}: {await spoken.transcript(await asyncio.to_thread(Path(path).read_bytes))}", flush=True)


if __name__ == "__main__":
    if paths := [argument for argument in sys.argv[1:] if not argument.startswith("-")]:
        asyncio.run(recordings(paths))
    else:
        command(benchmark)
