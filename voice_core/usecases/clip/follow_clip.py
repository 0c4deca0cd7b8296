"""Follow clips while they are processed: one reader of the store for each clip, however many follow it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime

from voice_core.domain.clip import Clip, ClipName
from voice_core.ports.clips import Clips

FASTEST_SECONDS = 0.5
SLOWEST_SECONDS = 4.0
SLOWDOWN = 1.5
"""Pauses between two reads: the first after each change, the longest, and how much longer each is than the last."""


class ClipFollowers:
    """The followers of clips in one worker. *pause* waits for a number of seconds."""

    def __init__(self, clips: Clips, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._clips = clips
        self._pause = pause
        self._readers: dict[ClipName, _Reader] = {}

    async def follow(self, name: ClipName, repeat_seconds: float) -> AsyncGenerator[Clip]:
        """The state of the clip: at once, and after each change until it has ended.

        After *repeat_seconds* without a change the last state is repeated.

        Raises:
            NotFound: the user has no such clip.
            StageFailed: with stage ``clips``.
        """
        reader = self._readers.get(name)
        if reader is None or reader.ended:
            reader = self._readers[name] = _Reader(name, self._clips, self._pause)
        reader.followers += 1
        try:
            seen: Clip | None = None
            while seen is None or not seen.ended:
                if reader.clip is None or reader.clip is seen:
                    await reader.change(repeat_seconds)
                seen = reader.clip or seen
                if seen is not None:
                    yield seen
        finally:
            reader.followers -= 1
            if not reader.followers:
                await self._stop(name, reader)

    async def _stop(self, name: ClipName, reader: "_Reader") -> None:
        if self._readers.get(name) is reader:
            del self._readers[name]
        await reader.aclose()


class _Reader:
    """Reads one clip until it has ended, more slowly while nothing changes."""

    def __init__(self, name: ClipName, clips: Clips, pause: Callable[[float], Awaitable[None]]) -> None:
        self.clip: Clip | None = None
        """Its last state; None before the first read."""
        self.followers = 0
        self._name = name
        self._clips = clips
        self._pause = pause
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @property
    def ended(self) -> bool:
        """Whether it reads no more."""
        return self._reading.done()

    async def change(self, seconds: float) -> None:
        """Wait for a change, but not for more than *seconds*; raises the error that ended the reading, if one did."""
        waiting = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({waiting, self._reading}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._reading.done():
            self._reading.result()

    async def aclose(self) -> None:
        """Stop reading."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        seconds = FASTEST_SECONDS
        while self.clip is None or not self.clip.ended:
            if self.clip is not None:
                await self._pause(seconds)
            clip = (await self._clips.get(self._name)).at(datetime.now(UTC))
            if self.clip is not None and (clip.etag, clip.status) == (self.clip.etag, self.clip.status):
                seconds = min(seconds * SLOWDOWN, SLOWEST_SECONDS)
                continue
            seconds, self.clip = FASTEST_SECONDS, clip
            self._changed.set()
            self._changed = asyncio.Event()
