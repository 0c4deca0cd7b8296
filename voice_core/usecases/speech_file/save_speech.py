"""Keep speech while it is made, so that players can fetch it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from voice_core.domain.errors import NotFound, StageFailed
from voice_core.domain.events import Event, SpeechDelta, TurnDone
from voice_core.domain.speech import SpeechName
from voice_core.ports.clips import Speeches


class SpeechWriter:
    """Keeps one reply's speech. What comes while some is being written is written next, all at once."""

    def __init__(self, name: SpeechName, speeches: Speeches) -> None:
        self._name = name
        self._speeches = speeches
        self._held = bytearray()
        self._kept_bytes = 0
        self._writing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        await self._speeches.begin(self._name)

    def take(self, pcm: bytes) -> None:
        """Keep *pcm*, whole samples, soon."""
        self._held += pcm
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def finish(self) -> None:
        """Wait until all is kept, and say that there is no more.

        Raises:
            StageFailed: with stage ``storage``; not all of it could be kept.
        """
        if self._writing is not None:
            await self._writing
        await self._speeches.finish(self._name)

    async def aclose(self) -> None:
        """Stop writing."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _write(self) -> None:
        while self._held:
            pcm, self._held = bytes(self._held), bytearray()
            await self._speeches.append(self._name, self._kept_bytes, pcm)
            self._kept_bytes += len(pcm)
        self._writing = None


async def keep_speech(name: SpeechName, speech: AsyncGenerator[bytes], speeches: Speeches) -> None:
    """Keep all of *speech*, mono 16-bit PCM at 24 kHz; what it raises comes through.

    Raises:
        StageFailed: with stage ``storage``.
    """
    keeper = SpeechWriter(name, speeches)
    async with aclosing(keeper), aclosing(speech):
        await keeper.begin()
        async for pcm in speech:
            keeper.take(pcm)
        await keeper.finish()


async def kept(turn: AsyncGenerator[Event], name: SpeechName, speeches: Speeches) -> AsyncGenerator[Event]:
    """The events of *turn* without its sound, which is kept as *name* instead.

    Storage that fails costs the speech, not the turn: it is noted as ``speech`` degraded.
    """
    shelf = _Shelf(SpeechWriter(name, speeches))
    async with aclosing(shelf), aclosing(turn):
        await shelf.begin()
        async for event in turn:
            match event:
                case SpeechDelta(pcm):
                    shelf.take(pcm)
                case TurnDone(done) if not await shelf.finished():
                    yield TurnDone(replace(done, degraded=tuple(dict.fromkeys([*done.degraded, "speech"]))))
                case _:
                    yield event


class _Shelf:
    """A keeper that may fail."""

    def __init__(self, keeper: SpeechWriter) -> None:
        self._keeper = keeper
        self._works = True
        self._done = False

    async def begin(self) -> None:
        try:
            await self._keeper.begin()
        except StageFailed:
            self._works = False

    def take(self, pcm: bytes) -> None:
        if self._works:
            self._keeper.take(pcm)

    async def finished(self) -> bool:
        """Whether all of the speech is kept now."""
        self._done = True
        if self._works:
            try:
                await self._keeper.finish()
            except (StageFailed, NotFound):
                self._works = False
        return self._works

    async def aclose(self) -> None:
        """Of a turn that ended early, what was said is all there will be."""
        if not self._done:
            await self.finished()
        await self._keeper.aclose()
