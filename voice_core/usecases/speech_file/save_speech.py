"""Store speech while it is synthesised, so that players can fetch it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from voice_core.domain.errors import NotFound, StageFailed
from voice_core.domain.events import Event, SpeechDelta, TurnDone
from voice_core.domain.speech import SpeechName
from voice_core.ports.clips import Speeches


class SpeechWriter:
    """Writes the speech of one reply. Sound that arrives during a write is written next, all at once."""

    def __init__(self, name: SpeechName, speeches: Speeches) -> None:
        self._name = name
        self._speeches = speeches
        self._pending = bytearray()
        self._stored_bytes = 0
        self._writing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        await self._speeches.begin(self._name)

    def add(self, pcm: bytes) -> None:
        """Queue *pcm*, complete samples, to be written."""
        self._pending += pcm
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def finish(self) -> None:
        """Wait until everything is written, and mark the speech as complete.

        Raises:
            StageFailed: with stage ``storage``; not all of it could be written.
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
        while self._pending:
            pcm, self._pending = bytes(self._pending), bytearray()
            await self._speeches.append(self._name, self._stored_bytes, pcm)
            self._stored_bytes += len(pcm)
        self._writing = None


async def save_speech(name: SpeechName, speech: AsyncGenerator[bytes], speeches: Speeches) -> None:
    """Store all of *speech*, mono 16-bit PCM at 24 kHz.

    Raises:
        StageFailed: with stage ``storage``; and whatever *speech* raises.
    """
    writer = SpeechWriter(name, speeches)
    async with aclosing(writer), aclosing(speech):
        await writer.begin()
        async for pcm in speech:
            writer.add(pcm)
        await writer.finish()


async def without_audio(turn: AsyncGenerator[Event], name: SpeechName, speeches: Speeches) -> AsyncGenerator[Event]:
    """The events of *turn* without its audio, which is stored as *name* instead.

    When storage fails, the turn goes on without speech and is marked as ``speech`` degraded.
    """
    writer = _OptionalWriter(SpeechWriter(name, speeches))
    async with aclosing(writer), aclosing(turn):
        await writer.begin()
        async for event in turn:
            match event:
                case SpeechDelta(pcm):
                    writer.add(pcm)
                case TurnDone(done) if not await writer.finished():
                    yield TurnDone(replace(done, degraded=tuple(dict.fromkeys([*done.degraded, "speech"]))))
                case _:
                    yield event


class _OptionalWriter:
    """A writer whose failure is noted, not raised."""

    def __init__(self, writer: SpeechWriter) -> None:
        self._writer = writer
        self._works = True
        self._done = False

    async def begin(self) -> None:
        try:
            await self._writer.begin()
        except StageFailed:
            self._works = False

    def add(self, pcm: bytes) -> None:
        if self._works:
            self._writer.add(pcm)

    async def finished(self) -> bool:
        """Finish, and report whether all of the speech is stored."""
        self._done = True
        if self._works:
            try:
                await self._writer.finish()
            except (StageFailed, NotFound):
                self._works = False
        return self._works

    async def aclose(self) -> None:
        """Stop writing. The speech of a turn that ended early is complete as it is."""
        if not self._done:
            await self.finished()
        await self._writer.aclose()
