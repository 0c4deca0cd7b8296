"""How well a long clip is heard: its words and their times, against the same sentences heard one by one.

Real speech of the emulator's own engines: sentences are synthesised, put together with pauses, uploaded with curl as
wav and as m4a, and recognised, in both cases with the sentences as hints. ``--minutes 30`` chooses the length.
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
    """Each sentence as it sounds: 16-bit samples at 16 kHz, without the silence around it."""
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
    """Mono 16-bit PCM at 16 kHz, and each sentence with when it begins, in seconds."""
    random, said, at = Random(1), [], 0
    pieces: list[Samples] = []
    while at < minutes * 60 * RATE:
        sentence = random.choice(SENTENCES)
        pause = np.zeros(round(random.uniform(*PAUSES) * RATE), np.int16)
        said.append((sentence, at / RATE))
        pieces += [sounds[sentence], pause]
        at += sounds[sentence].size + pause.size
    return np.concatenate(pieces).tobytes(), said


def write(file: Path, pcm: bytes) -> None:
    """A wav or an m4a, by the file's name."""
    if file.suffix == ".wav":
        file.write_bytes(wav.whole(pcm, RATE))
    else:
        encode_m4a(file, [pcm])


def counted(said: str, heard: str) -> tuple[int, int]:
    """Words wrong, missing or too many, and words said."""
    right = words(said)
    return errors(right, words(heard)), len(right)


async def single(settings: Mapping[str, str], sounds: Mapping[str, Samples]) -> dict[str, str]:
    """What is heard of each sentence by itself."""
    app = App(Settings.from_environ({**os.environ, **settings}))
    await app.load()
    heard = {}
    for sentence, sound in sounds.items():
        utterance = app.stt.transcribe(_once(sound.tobytes()), Hints(phrases=SENTENCES))
        async with aclosing(utterance) as items:
            async for item in items:
                if isinstance(item, Transcript):
                    heard[sentence] = item.text
    await app.close()
    return heard


async def _once(pcm: bytes) -> AsyncGenerator[bytes]:
    yield pcm + bytes(RATE)


def starts(captions: str) -> list[float]:
    """When each cue begins, in seconds."""
    clocks = re.findall(r"^(\d+):(\d+):(\d+\.\d+) -->", captions, re.MULTILINE)
    return [int(hours) * 3600 + int(minutes) * 60 + float(seconds) for hours, minutes, seconds in clocks]


async def measure(minutes: float) -> None:
    sounds = await voices()
    pcm, said = recording(minutes, sounds)
    text = " ".join(sentence for sentence, _ in said)
    async with child("benchmarks.clip_services", "words") as services:
        alone = await single(services.told, sounds)
        wrong = [counted(sentence, alone[sentence]) for sentence, _ in said]
        singles = sum(count for count, _ in wrong) / sum(words for _, words in wrong)
        print(f"{minutes:g} minutes, {len(said)} sentences; by themselves WER {singles:.2%}", flush=True)
        for kind in ("wav", "m4a"):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, f"recording.{kind}")
                write(file, pcm)
                opened = await worker(services.told, "open", str(file), *SENTENCES)
            done = await worker(services.told, "work", opened["clip"])
            print(f"{kind}: {_judged(done, said, text)}, in {done['seconds']:.0f} s", flush=True)


def _judged(done: Mapping[str, Any], said: Sequence[tuple[str, float]], text: str) -> str:
    if done["status"] != "done":
        return json.dumps(done)
    count, total = counted(text, done["transcript"]["text"])
    cues = np.array(starts(done["captions"]))
    beside = sorted(float(np.abs(cues - start).min()) for _, start in said)
    return f"WER {count / total:.2%}; cues {beside[-1]:.2f} s beside at most, {beside[len(beside) // 2]:.2f} s mostly"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=30)
    asyncio.run(measure(arguments.parse_args().minutes))


if __name__ == "__main__":
    main()
