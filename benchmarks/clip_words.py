"""Word errors and caption times of a long clip, compared with the same sentences recognised one by one.

The speech is synthesised by the emulator's own engines. The sentences are joined with pauses, uploaded with curl as wav
and as m4a, and recognised, in both cases with the sentences as hints. ``--minutes 30`` sets the length.
"""

import argparse
import asyncio
import json
import os
import re
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.clips import worker
from benchmarks.processes import child
from benchmarks.recordings import encode_m4a
from benchmarks.words import errors, words
from emulators.speech.engine_choice import engines_from
from emulators.speech.engines import ENGINE_RATE
from emulators.speech.voices import VOICES
from voice_core.audio import wav
from voice_core.audio.pcm import Converter
from voice_core.audio.pcm_layout import RawPcm
from voice_core.domain.speech import Hints, Transcript
from voice_core.settings import Settings
from voice_core.wiring import App

Samples = NDArray[np.int16]

RATE = 16_000
AUDIBLE = 300
PAUSES = (0.8, 1.6)
SENTENCES = (
    "The weather in the city was fine this morning.",
    "We walked along the river and talked about the house.",
    "My brother wants to buy a new car next year.",
    "Please send the letter to the office before noon.",
    "There are three children playing in the garden.",
    "The train to London leaves at half past nine.",
    "She told me that the meeting was very long.",
    "He put the book on the table and left the room.",
    "I think we should wait until the end of the month.",
    "The doctor said that he needs more rest.",
    "They opened the window because it was too warm.",
    "Nobody knew the answer to the last question.",
)


async def voices() -> dict[str, Samples]:
    """The speech of each sentence: 16-bit samples at 16 kHz, without the silence around it."""
    synthesizer = engines_from({}).synthesizer
    voice = next(voice for voice in VOICES if voice.locale == "en-US")
    sounds = {}
    for sentence in SENTENCES:
        converter = Converter(RawPcm(ENGINE_RATE))
        made = b"".join([converter.feed(pcm) async for pcm in synthesizer.speak(sentence, voice)]) + converter.finish()
        samples = np.frombuffer(made, "<i2")
        loud = np.flatnonzero(np.abs(samples) > AUDIBLE)
        sounds[sentence] = samples[loud[0] : loud[-1]]
    return sounds


def recording(minutes: float, sounds: Mapping[str, Samples]) -> tuple[bytes, list[tuple[str, float]]]:
    """Mono 16-bit PCM at 16 kHz, and each sentence with its start in seconds."""
    random, spoken, at = Random(1), [], 0
    pieces: list[Samples] = []
    while at < minutes * 60 * RATE:
        sentence = random.choice(SENTENCES)
        pause = np.zeros(round(random.uniform(*PAUSES) * RATE), np.int16)
        spoken.append((sentence, at / RATE))
        pieces += [sounds[sentence], pause]
        at += sounds[sentence].size + pause.size
    return np.concatenate(pieces).tobytes(), spoken


def write(file: Path, pcm: bytes) -> None:
    """Write a wav or an m4a, by the suffix of *file*."""
    if file.suffix == ".wav":
        file.write_bytes(wav.whole(pcm, RATE))
    else:
        encode_m4a(file, [pcm])


def counted(spoken: str, recognised: str) -> tuple[int, int]:
    """The numbers of word errors (wrong, missing or added) and of spoken words."""
    right = words(spoken)
    return errors(right, words(recognised)), len(right)


async def single(settings: Mapping[str, str], sounds: Mapping[str, Samples]) -> dict[str, str]:
    """The transcript of each sentence, recognised by itself."""
    app = App(Settings.from_environ({**os.environ, **settings}))
    await app.load()
    recognised = {}
    for sentence, sound in sounds.items():
        utterance = app.stt.transcribe(_once(sound.tobytes()), Hints(phrases=SENTENCES))
        async with aclosing(utterance) as items:
            async for item in items:
                if isinstance(item, Transcript):
                    recognised[sentence] = item.text
    await app.close()
    return recognised


async def _once(pcm: bytes) -> AsyncGenerator[bytes]:
    yield pcm + bytes(RATE)


def starts(captions: str) -> list[float]:
    """The start of each cue in seconds."""
    clocks = re.findall(r"^(\d+):(\d+):(\d+\.\d+) -->", captions, re.MULTILINE)
    return [int(hours) * 3600 + int(minutes) * 60 + float(seconds) for hours, minutes, seconds in clocks]


async def measure(minutes: float) -> None:
    sounds = await voices()
    pcm, spoken = recording(minutes, sounds)
    text = " ".join(sentence for sentence, _ in spoken)
    async with child("benchmarks.clip_services", "words") as services:
        singly = await single(services.addresses, sounds)
        wrong = [counted(sentence, singly[sentence]) for sentence, _ in spoken]
        singles = sum(count for count, _ in wrong) / sum(words for _, words in wrong)
        print(f"{minutes:g} minutes, {len(spoken)} sentences; one by one: WER {singles:.2%}", flush=True)
        for kind in ("wav", "m4a"):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, f"recording.{kind}")
                write(file, pcm)
                opened = await worker(services.addresses, "open", str(file), *SENTENCES)
            done = await worker(services.addresses, "work", opened["clip"])
            print(f"{kind}: {_judged(done, spoken, text)}, in {done['seconds']:.0f} s", flush=True)


def _judged(done: Mapping[str, Any], spoken: Sequence[tuple[str, float]], text: str) -> str:
    if done["status"] != "done":
        return json.dumps(done)
    count, total = counted(text, done["transcript"]["text"])
    cues = np.array(starts(done["captions"]))
    offsets = sorted(float(np.abs(cues - start).min()) for _, start in spoken)
    return (
        f"WER {count / total:.2%}; cues off by {offsets[-1]:.2f} s at most, median {offsets[len(offsets) // 2]:.2f} s"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=30)
    asyncio.run(measure(arguments.parse_args().minutes))


if __name__ == "__main__":
    main()
