"""A worker in a separate process, with the services that its environment names. It prints its result as JSON.

* `open FILE PHRASE…`: create a clip, and upload the recording with curl.
* `work CLIP [DIES_AT]`: process the clip, or kill the own process at the port call with that number.
* `tell CLIP TIMES`: deliver the clip's event that many times, the first two concurrently.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Any

from benchmarks.figures import BenchmarkFailed
from benchmarks.machine import peak_bytes, resident_bytes
from fakes.memory_clip_stores import MortalWorker
from voice_core.domain.clip import ClipName
from voice_core.domain.errors import VoiceError
from voice_core.domain.speech import Hints
from voice_core.settings import Settings
from voice_core.usecases.clip.offer_clip import NewClip
from voice_core.usecases.clip.process_clip import process_clip
from voice_core.wiring import App
from voice_core.wiring.clips import ClipWork

USER = "ann"
MEGABYTE = 1 << 20


class KilledWorker(MortalWorker):
    """Kills its own process with SIGKILL at the call with number *dies_at*."""

    def called(self, name: str) -> bool:
        self.calls += 1
        if self.calls == self._dies_at:
            print(json.dumps({"died": name}), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return False


async def _open(work: ClipWork, file: str, *phrases: str) -> dict[str, Any]:
    offered = await work.offer(NewClip(user_id=USER, hints=Hints(phrases=phrases)))
    clip, slot = offered.clip, offered.upload
    if slot is None:
        raise BenchmarkFailed("a new clip has no slot")
    curl_headers = [part for name, value in slot.headers.items() for part in ("-H", f"{name}: {value}")]
    curl = await asyncio.create_subprocess_exec("curl", "-sf", "-T", file, *curl_headers, slot.url)
    if await curl.wait():
        raise BenchmarkFailed("curl could not upload the recording")
    return {"clip": clip.id}


async def _work(work: ClipWork, clip_id: str, dies_at: str = "0") -> dict[str, Any]:
    killed = KilledWorker(int(dies_at))
    name, services = ClipName(USER, clip_id), work.services
    await work.clips.get(name)
    wrapped = {
        port: killed.wrapped(getattr(services, port))
        for port in ("clips", "recordings", "artefacts", "speeches", "stt")
    }
    idle, began = resident_bytes(), monotonic()
    await process_clip(name, replace(services, **wrapped))
    peak = peak_bytes()
    return await _result(work, name) | {
        "seconds": monotonic() - began,
        "idle_mb": idle / MEGABYTE,
        "peak_over_idle_mb": (peak - idle) / MEGABYTE,
        "calls": killed.calls,
    }


async def _deliver(work: ClipWork, clip_id: str, times: str) -> dict[str, Any]:
    name = ClipName(USER, clip_id)

    async def deliver() -> None:
        with suppress(VoiceError):
            await work.process(name)

    await asyncio.gather(deliver(), deliver())
    for _ in range(int(times) - 2):
        await deliver()
    return await _result(work, name)


async def _result(work: ClipWork, name: ClipName) -> dict[str, Any]:
    clip = await work.clips.get(name)
    result: dict[str, Any] = {"status": clip.status, "problem": clip.failure and clip.failure.code}
    if clip.transcribed:
        result["transcript"] = json.loads(await work.artefacts.get(name, "transcript.json"))
        result["captions"] = (await work.artefacts.get(name, "transcript.vtt")).decode()
        turns = await work.services.turn.conversations.recent(USER, clip.conversation_id, 100)
        result["turns"] = [turn.id for turn in turns]
    return result


async def _main(what: str, *arguments: str) -> None:
    app = App(Settings.from_environ(os.environ))
    await app.load_clips()
    does: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {"open": _open, "work": _work, "tell": _deliver}
    try:
        print(json.dumps(await does[what](app.clip_work, *arguments)), flush=True)
    finally:
        await app.close()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
