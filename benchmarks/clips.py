"""Clips: memory and time by length, concurrent segments, and recovery after a worker is killed.

The services run in one process, each worker in another. ``python -m benchmarks.clips growth`` (or ``at-once``,
``crashes``) measures only that; ``--minutes 10 30`` sets the lengths, ``--points 30`` the number of kills.
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
from fakes.tone_words import SpokenTones

Writer = Callable[[Path, float], list[SpokenTones]]

WRITERS: Mapping[str, Writer] = {"wav": write_wav, "m4a": write_m4a}
CRASH_SECONDS = 240.0
CRASH_SEGMENTS = 2
SEGMENT_SECONDS = 60
AT_ONCE_SECONDS = 360.0


async def worker(settings: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    """Run a worker to its end and return the last object it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.clip_worker", *arguments, cwd=ROOT, env={**os.environ, **settings}, stdout=-1
    )
    out, _ = await process.communicate()
    if not out:
        raise BenchmarkFailed(f"a worker printed nothing: {arguments}")
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result


async def growth(minutes: Sequence[float]) -> None:
    """Print time and memory by length: time per minute and memory should not grow with it."""
    print(f"{'recording':16}{'size MB':>9}{'s':>8}{'s/min':>8}{'idle MB':>9}{'peak over idle':>16}  words")
    async with child("benchmarks.clip_services", "tones") as services:
        for length in minutes:
            for kind, write in WRITERS.items():
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder, f"recording.{kind}")
                    spoken_words, size = await asyncio.to_thread(_written, write, file, length * 60)
                    opened = await worker(services.addresses, "open", str(file))
                done = await worker(services.addresses, "work", opened["clip"])
                print(
                    f"{length:>5g} min {kind:6}{size:>9.1f}{done['seconds']:>8.1f}{done['seconds'] / length:>8.2f}"
                    f"{done['idle_mb']:>9.0f}{done['peak_over_idle_mb']:>16.0f}  {compared(done, spoken_words)}",
                    flush=True,
                )


def _written(write: Writer, file: Path, seconds: float) -> tuple[list[SpokenTones], float]:
    """Write a recording; return its words, and its size in MB."""
    spoken_words = write(file, seconds)
    return spoken_words, file.stat().st_size / 1e6


async def at_once() -> None:
    """Compare four concurrent segments with one; recognition takes 0.2 s for a second of sound."""
    seconds = {}
    async with child("benchmarks.clip_services", "paced") as services:
        for segments in (1, 4):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "recording.wav")
                spoken_words = write_wav(file, AT_ONCE_SECONDS)
                opened = await worker(services.addresses, "open", str(file))
            done = await worker({**services.addresses, "CLIP_SEGMENTS": str(segments)}, "work", opened["clip"])
            seconds[segments] = done["seconds"]
            print(f"{segments} at once: {done['seconds']:.1f} s, {compared(done, spoken_words)}", flush=True)
    print(f"{seconds[1] / seconds[4]:.2f} times faster")


async def crashes(points: int) -> None:
    """Kill a worker at each of *points* port calls; then deliver the clip's event three times to another worker."""
    async with child("benchmarks.clip_services", "tones") as services:
        settings = {**services.addresses, "CLIP_CLAIM_SECONDS": "1", "CLIP_SEGMENTS": str(CRASH_SEGMENTS)}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "recording.wav")
            spoken_words = write_wav(file, CRASH_SECONDS)
            undisturbed = await _crashed(settings, file, 0, spoken_words)
            calls, recognised = undisturbed["calls"], undisturbed["recognised"]
            print(f"a worker that is not killed makes {calls} calls and has {recognised:.1f} s recognised", flush=True)
            kills = 0
            for point in sorted({1 + round(n * (calls - 1) / max(1, points - 1)) for n in range(points)}):
                done = await _crashed(settings, file, point, spoken_words)
                if not done["died"]:
                    print(f"no kill at call {point:3}: the worker made only {done['calls']}; not counted")
                    continue
                kills += 1
                twice = done["recognised"] - recognised
                if twice > CRASH_SEGMENTS * SEGMENT_SECONDS:
                    raise BenchmarkFailed(f"killed at {point}: {twice:.1f} s were recognised twice")
                print(
                    f"killed at call {point:3} ({done['died']:12}) {twice:6.1f} s recognised twice,"
                    f" {done['status']}, {len(done['turns'])} turn, {compared(done, spoken_words)}",
                    flush=True,
                )
            print(f"{kills} kills, the clip was completed after each")


async def _crashed(
    settings: Mapping[str, str], file: Path, point: int, spoken_words: Sequence[SpokenTones]
) -> dict[str, Any]:
    log = f"{settings['SPEECH_ENDPOINT']}/_emulator/log"
    opened = await worker(settings, "open", str(file))
    async with aiohttp.ClientSession() as http:
        before = await _recognised(http, log)
        died = await worker(settings, "work", opened["clip"], str(point))
        done = await worker(settings, "tell", opened["clip"], "3") if "died" in died else died
        after = await _recognised(http, log)
    if done["status"] != "done" or len(done["turns"]) != 1 or compared(done, spoken_words) != "all":
        raise BenchmarkFailed(
            f"killed at {point} ({died}): {done['status']}, {done.get('turns')}, {done.get('problem')}"
        )
    return done | {"died": died.get("died", ""), "recognised": after - before}


async def _recognised(http: aiohttp.ClientSession, log: str) -> float:
    """Seconds of audio that the emulator has received."""
    async with http.get(log) as response:
        served = await response.json()
    return sum(float(entry["facts"].get("audio_seconds", 0.0)) for entry in served if entry["operation"] == "stt")


def compared(done: Mapping[str, Any], spoken_words: Sequence[SpokenTones]) -> str:
    """``all`` if each word was recognised once and at its time, otherwise the difference.

    Raises:
        BenchmarkFailed: the clip is not done.
    """
    if done["status"] != "done":
        raise BenchmarkFailed(f"the clip is {done['status']}: {done['problem']}")
    words = [word for phrase in done["transcript"]["phrases"] for word in phrase["words"]]
    if [word["text"] for word in words] != [word.text for word in spoken_words]:
        return f"{len(words)} words instead of {len(spoken_words)}, or others"
    late = max(
        abs(recognised["startMs"] / 1000 - word.start) for recognised, word in zip(words, spoken_words, strict=True)
    )
    return "all" if late < 0.3 else f"all, but off by up to {late:.2f} s"


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
