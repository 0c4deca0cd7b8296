"""Clips: memory and time by length, segments at once, and what is left of a worker that is killed.

The services run in a process of their own, each worker in another. ``python -m benchmarks.clips growth`` (or
``at-once``, ``crashes``) makes only those figures; ``--minutes 10 30`` chooses lengths, ``--points 30`` how many
deaths.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.figures import BenchmarkFailed
from benchmarks.processes import ROOT, child
from benchmarks.recordings import write_m4a, write_wav
from tests.tone_words import Spoken

Writer = Callable[[Path, float], list[Spoken]]

WRITERS: Mapping[str, Writer] = {"wav": write_wav, "m4a": write_m4a}
CRASH_SECONDS = 240.0
CRASH_SEGMENTS = 2
SEGMENT_SECONDS = 60
AT_ONCE_SECONDS = 360.0


async def worker(settings: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    """What a worker prints last."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.clip_worker", *arguments, cwd=ROOT, env={**os.environ, **settings}, stdout=-1
    )
    out, _ = await process.communicate()
    if not out:
        raise BenchmarkFailed(f"a worker printed nothing: {arguments}")
    told: dict[str, Any] = json.loads(out.splitlines()[-1])
    return told


async def growth(minutes: Sequence[float]) -> None:
    """Time and memory by length: neither hurries nor holds."""
    print(f"{'recording':16}{'size MB':>9}{'s':>8}{'s/min':>8}{'idle MB':>9}{'peak over idle':>16}  words")
    async with child("benchmarks.clip_services", "tones") as services:
        for length in minutes:
            for kind, write in WRITERS.items():
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder, f"recording.{kind}")
                    said, size = await asyncio.to_thread(_written, write, file, length * 60)
                    opened = await worker(services.told, "open", str(file))
                done = await worker(services.told, "work", opened["clip"])
                print(
                    f"{length:>5g} min {kind:6}{size:>9.1f}{done['seconds']:>8.1f}{done['seconds'] / length:>8.2f}"
                    f"{done['idle_mb']:>9.0f}{done['peak_over_idle_mb']:>16.0f}  {compared(done, said)}",
                    flush=True,
                )


def _written(write: Writer, file: Path, seconds: float) -> tuple[list[Spoken], float]:
    """The words of a new recording, and its size in MB."""
    said = write(file, seconds)
    return said, file.stat().st_size / 1e6


async def at_once() -> None:
    """Four segments at a time against one, recognition taking 0.2 s for a second of sound."""
    seconds = {}
    async with child("benchmarks.clip_services", "paced") as services:
        for segments in (1, 4):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "recording.wav")
                said = write_wav(file, AT_ONCE_SECONDS)
                opened = await worker(services.told, "open", str(file))
            done = await worker({**services.told, "CLIP_SEGMENTS": str(segments)}, "work", opened["clip"])
            seconds[segments] = done["seconds"]
            print(f"{segments} at once: {done['seconds']:.1f} s, {compared(done, said)}", flush=True)
    print(f"{seconds[1] / seconds[4]:.2f} times faster")


async def crashes(points: int) -> None:
    """A worker is killed at one call after the other; then three more are told of the clip."""
    async with child("benchmarks.clip_services", "tones") as services:
        settings = {**services.told, "CLIP_CLAIM_SECONDS": "1", "CLIP_SEGMENTS": str(CRASH_SEGMENTS)}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "recording.wav")
            said = write_wav(file, CRASH_SECONDS)
            whole = await _crashed(settings, file, 0, said)
            calls, heard = whole["calls"], whole["heard"]
            print(f"a worker that lives makes {calls} calls and has {heard:.1f} s recognised", flush=True)
            deaths = 0
            for point in sorted({1 + round(n * (calls - 1) / max(1, points - 1)) for n in range(points)}):
                done = await _crashed(settings, file, point, said)
                if not done["died"]:
                    print(f"nobody died at call {point:3}: the worker made {done['calls']}, which counts for nothing")
                    continue
                deaths += 1
                if done["heard"] - heard > CRASH_SEGMENTS * SEGMENT_SECONDS:
                    raise BenchmarkFailed(f"killed at {point}: {done['heard'] - heard:.1f} s were recognised twice")
                print(
                    f"killed at call {point:3} ({done['died']:12}) {done['heard'] - heard:6.1f} s more recognised, "
                    f"{done['status']}, {len(done['turns'])} turn, {compared(done, said)}",
                    flush=True,
                )
            print(f"{deaths} deaths, all survived")


async def _crashed(settings: Mapping[str, str], file: Path, point: int, said: Sequence[Spoken]) -> dict[str, Any]:
    log = f"{settings['SPEECH_ENDPOINT']}/_emulator/log"
    opened = await worker(settings, "open", str(file))
    async with aiohttp.ClientSession() as http:
        before = await _recognised(http, log)
        died = await worker(settings, "work", opened["clip"], str(point))
        done = await worker(settings, "tell", opened["clip"], "3") if "died" in died else died
        after = await _recognised(http, log)
    if done["status"] != "done" or len(done["turns"]) != 1 or compared(done, said) != "all":
        raise BenchmarkFailed(
            f"killed at {point} ({died}): {done['status']}, {done.get('turns')}, {done.get('problem')}"
        )
    return done | {"died": died.get("died", ""), "heard": after - before}


async def _recognised(http: aiohttp.ClientSession, log: str) -> float:
    """Seconds of sound that the emulator was sent."""
    async with http.get(log) as response:
        served = await response.json()
    return sum(float(entry["facts"].get("audio_seconds", 0.0)) for entry in served if entry["operation"] == "stt")


def compared(done: Mapping[str, Any], said: Sequence[Spoken]) -> str:
    """``all`` when each word was heard once and in its place, or what is wrong; fails unless the clip is done."""
    if done["status"] != "done":
        raise BenchmarkFailed(f"the clip is {done['status']}: {done['problem']}")
    words = [word for phrase in done["transcript"]["phrases"] for word in phrase["words"]]
    if [word["text"] for word in words] != [word.text for word in said]:
        return f"{len(words)} words instead of {len(said)}, or others"
    late = max(abs(heard["startMs"] / 1000 - word.start) for heard, word in zip(words, said, strict=True))
    return "all" if late < 0.3 else f"up to {late:.2f} s beside"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("what", nargs="*", choices=["growth", "at-once", "crashes"], default=["growth"])
    arguments.add_argument("--minutes", nargs="+", type=float, default=[10, 30, 60, 180])
    arguments.add_argument("--points", type=int, default=30)
    options = arguments.parse_args()
    for what in options.what:
        match what:
            case "growth":
                asyncio.run(growth(options.minutes))
            case "at-once":
                asyncio.run(at_once())
            case _:
                asyncio.run(crashes(options.points))


if __name__ == "__main__":
    main()
