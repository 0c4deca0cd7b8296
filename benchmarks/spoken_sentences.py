"""The product speaks sentences and transcribes its own speech: words misheard, DNSMOS, and the cost of speaking.

The sentences are those of `sentences.txt`, none of them chosen by its result. The phrase list of a trial has the
vocabulary of the first 20. With paths of recordings as arguments, it prints the transcript of each instead.
"""

import asyncio
import io
import shutil
import sys
import wave
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp

from benchmarks.engine_processes import cpu_seconds
from benchmarks.figures import BenchmarkFailed, Figure, Target, command
from benchmarks.processes import child
from benchmarks.readings import least_errors
from benchmarks.speech_quality import overall_mos
from benchmarks.words import words
from voice_core.audio.pcm import Converter
from voice_core.audio.pcm_layout import RawPcm

SENTENCES = tuple((Path(__file__).parent / "sentences.txt").read_text(encoding="utf-8").splitlines())
FIRST = SENTENCES[:20]
"""Those without numbers in digits, which PocketSphinx is measured on."""
VOCABULARY = tuple(sorted({word for sentence in FIRST for word in words(sentence)}))
TIMED = SENTENCES[20:50]
FLITE_MISSING = "flite is not installed, so its rows are left out: apt-get install flite"
RESPONSE_SECONDS = 120
TIMEOUTS = {"STT_SECONDS": "60", "TTS_SECONDS": "60"}
"""Long enough for a busy machine: words are counted, and no time but that to the first sound."""
WAV_HEADER_BYTES = 44


@dataclass(frozen=True, slots=True)
class Trial:
    """Engines, and what they are given."""

    name: str
    settings: Mapping[str, str]
    """Those of `emulators.speech.engine_choice`."""
    sentences: Sequence[str] = SENTENCES
    phrases: Sequence[str] = ()
    voices: Sequence[str] | None = ("",)
    """Names of voices, of which the empty one is the default; None: all English ones."""
    limit: float | None = None
    """Target for the word error rate in percent."""
    least_mos: float | None = None
    timed: bool = False


FLITE = {"ENGINES": "light", "SPEECH_TTS_ENGINE": "flite"}
ESPEAK = {"ENGINES": "light", "SPEECH_TTS_ENGINE": "espeak-ng"}
TRIALS = (
    Trial("neural", {"ENGINES": "neural"}, voices=None, limit=10, least_mos=3.2, timed=True),
    Trial("flite", FLITE, timed=True),
    Trial("flite, first 20", FLITE, FIRST, limit=10),
    Trial("espeak-ng, first 20, phrase list", ESPEAK, FIRST, VOCABULARY, limit=15),
    Trial("espeak-ng, first 20", ESPEAK, FIRST),
)


async def benchmark() -> AsyncGenerator[Figure]:
    """Measure for some minutes."""
    for trial in TRIALS:
        if trial.settings.get("SPEECH_TTS_ENGINE") == "flite" and shutil.which("flite") is None:
            print(FLITE_MISSING, file=sys.stderr)
            continue
        async with product(trial.settings) as spoken:
            if trial.timed:
                async for figure in first_sounds(trial, spoken, TIMED):
                    yield figure
            async for figure in understanding(trial, spoken):
                yield figure


async def understanding(trial: Trial, spoken: "SpokenProduct") -> AsyncGenerator[Figure]:
    """For each voice, word errors in percent and DNSMOS of each sentence, and the rate over all words."""
    heard: dict[bytes, str] = {}
    for voice in await spoken.english_voices() if trial.voices is None else trial.voices:
        recordings = [await spoken.speech(sentence, voice) for sentence in trial.sentences]
        for recording in recordings:  # voices of one engine may be the same
            if recording not in heard:
                heard[recording] = await spoken.transcript(recording, trial.phrases)
        name = f"{trial.name}, {voice}" if voice else trial.name
        yield _word_errors(name, trial, [heard[recording] for recording in recordings])
        if trial.sentences == SENTENCES:
            yield _quality(name, trial, [overall_mos(_pcm(recording)) for recording in recordings])


def _word_errors(name: str, trial: Trial, transcripts: Sequence[str]) -> Figure:
    counts = [least_errors(sentence, text) for sentence, text in zip(trial.sentences, transcripts, strict=True)]
    wrong, total = (sum(numbers) for numbers in zip(*counts, strict=True))
    return Figure(
        name=f"words misheard, {name}",
        unit="%",
        values=[100 * missed / count for missed, count in counts],
        facts={"wer_percent": round(100 * wrong / total, 1), "words": total, "errors": wrong},
        targets=() if trial.limit is None else (Target("wer_percent", trial.limit),),
    )


def _quality(name: str, trial: Trial, scores: Sequence[float]) -> Figure:
    return Figure(
        name=f"DNSMOS overall, {name}",
        unit="",
        values=scores,
        facts={"mean": round(sum(scores) / len(scores), 2)},
        targets=() if trial.least_mos is None else (Target("mean", trial.least_mos, least=True),),
    )


async def first_sounds(trial: Trial, spoken: "SpokenProduct", sentences: Sequence[str]) -> AsyncGenerator[Figure]:
    """The time to the first sound of each of *sentences*, and the CPU time of the engine's processes a sentence.

    Both engines make a sentence whole, so that is the CPU time to its first sound.
    """
    before, waits = cpu_seconds(spoken.services_pid), []
    for sentence in sentences:
        began = perf_counter()
        waits.append(1000 * (await spoken.first_sound(sentence) - began))
    cpu = 1000 * (cpu_seconds(spoken.services_pid) - before) / len(sentences)
    yield Figure(
        name=f"first sound, {trial.name}", unit="ms", values=waits, facts={"engine_cpu_ms_a_sentence": round(cpu, 1)}
    )


class SpokenProduct:
    """The product's speech and transcript endpoints."""

    def __init__(self, http: aiohttp.ClientSession, services_pid: int) -> None:
        self._http = http
        self.services_pid = services_pid
        """The process that has started the engines' processes."""

    async def english_voices(self) -> list[str]:
        async with self._http.get("/api/voice/voices", params={"language": "en"}) as response:
            voices = (await _document(response))["voices"]
        return [voice["name"] for voice in voices if voice["language"].startswith("en")]

    async def speech(self, text: str, voice: str = "") -> bytes:
        """A WAV of *text*, from /speak."""
        async with self._http.post("/api/voice/speak", json=_request(text, voice)) as response:
            if response.status != 200:
                raise BenchmarkFailed(await response.text())
            return await response.read()

    async def first_sound(self, text: str) -> float:
        """The time at which the first sound of *text* arrives, by `perf_counter`."""
        async with self._http.post("/api/voice/speak", json=_request(text, "")) as response:
            received, arrived = 0, 0.0
            async for chunk in response.content.iter_any():
                received += len(chunk)
                if not arrived and received > WAV_HEADER_BYTES:
                    arrived = perf_counter()
        if response.status != 200 or not arrived:
            raise BenchmarkFailed(f"/speak returned {response.status}")
        return arrived

    async def transcript(self, recording: bytes, phrases: Sequence[str] = ()) -> str:
        """The transcript of *recording*, from /transcribe."""
        body = {"audioData": b64encode(recording).decode(), "phrases": list(phrases)}
        async with self._http.post("/api/voice/transcribe", json=body) as response:
            document: dict[str, Any] = await response.json()
        if response.status != 200 and document["code"] != "no-speech":
            raise BenchmarkFailed(str(document))
        return str(document.get("transcription", ""))


def _request(text: str, voice: str) -> dict[str, str]:
    return {"text": text, **({"voice": voice} if voice else {})}


async def _document(response: aiohttp.ClientResponse) -> dict[str, Any]:
    if response.status != 200:
        raise BenchmarkFailed(await response.text())
    document: dict[str, Any] = await response.json()
    return document


def _pcm(recording: bytes) -> bytes:
    """The sound of *recording* at the rate of DNSMOS."""
    # A WAV that is streamed does not know its own length.
    with wave.open(io.BytesIO(recording)) as header:
        converter = Converter(RawPcm(header.getframerate()))
    return converter.feed(recording[WAV_HEADER_BYTES:]) + converter.finish()


@asynccontextmanager
async def product(engines: Mapping[str, str], settings: Mapping[str, str] = TIMEOUTS) -> AsyncIterator[SpokenProduct]:
    """The warmed-up product with *settings*, and with emulators that speak and recognise with *engines*."""
    async with (
        child("benchmarks.services", "unscripted", settings=engines) as services,
        child("benchmarks.server", "sdk", settings={**services.addresses, **settings}) as server,
        aiohttp.ClientSession(server.addresses["url"], timeout=aiohttp.ClientTimeout(RESPONSE_SECONDS)) as http,
    ):
        spoken = SpokenProduct(http, services.pid)
        await spoken.transcript(await spoken.speech("Hello."))
        yield spoken


async def recordings(paths: Sequence[str]) -> None:
    """Print the transcripts of the files at *paths*, which are sent unchanged."""
    async with product({}) as spoken:
        for path in paths:
            print(f"{path}: {await spoken.transcript(await asyncio.to_thread(Path(path).read_bytes))}", flush=True)


if __name__ == "__main__":
    if paths := [argument for argument in sys.argv[1:] if not argument.startswith("-")]:
        asyncio.run(recordings(paths))
    else:
        command(benchmark)
