"""Recognition by two engines: a quick one for interims while the user speaks, a better one for the final result."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from time import monotonic

from emulators.speech.engines import Recognition, RecognitionResult, Recognizer, primary
from emulators.speech.processes.process import EngineDied
from emulators.speech.recognizers.pace import Pace
from emulators.speech.refusals import RequestRefused


class WithInterims:
    """*final* recognises; *quick* adds interims where it has the language and the sound arrives as it is spoken."""

    def __init__(self, final: Recognizer, quick: Recognizer, clock: Callable[[], float] = monotonic) -> None:
        self.languages = final.languages
        self._final = final
        self._quick = quick
        self._clock = clock

    @asynccontextmanager
    async def listening(self, rate: int, phrases: tuple[str, ...], language: str) -> AsyncGenerator[Recognition]:
        async with self._final.listening(rate, phrases, language) as final:
            if primary(language) not in map(primary, self._quick.languages):
                yield final
                return
            interims = Interims(lambda: self._quick.listening(rate, phrases, language))
            try:
                yield PacedRecognition(final, interims, Pace(self._clock), rate)
            finally:
                await interims.stop()

    async def close(self) -> None:
        await self._final.close()
        await self._quick.close()


class PacedRecognition:
    """The recognition of one stream. The quick engine hears nothing of an upload, and never delays the final result."""

    def __init__(self, final: Recognition, interims: "Interims", pace: Pace, rate: int) -> None:
        self._final = final
        self._interims = interims
        self._pace = pace
        self._rate = rate
        self._waiting = bytearray()

    async def hear(self, pcm: bytes) -> str:
        self._pace.hear(len(pcm) / 2 / self._rate)
        await self._final.hear(pcm)
        if self._pace.upload:
            self._waiting.clear()
            await self._interims.stop()
            return ""
        self._waiting += pcm
        if self._pace.live:
            self._interims.hear(bytes(self._waiting))
            self._waiting.clear()
        return self._interims.text

    async def finish(self) -> RecognitionResult:
        self._waiting.clear()
        await self._interims.stop()
        return await self._final.finish()


class Interims:
    """Hypotheses of the phrase so far, made in a task of their own, however long they take."""

    def __init__(self, listening: Callable[[], AbstractAsyncContextManager[Recognition]]) -> None:
        self.text = ""
        self._listening = listening
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def hear(self, pcm: bytes) -> None:
        """Add sound; the first piece begins a phrase."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        self._pieces.put_nowait(pcm)

    async def stop(self) -> None:
        """End the phrase, and release the engine."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self.text, self._task, self._pieces = "", None, asyncio.Queue()

    async def _run(self) -> None:
        # Without interims a turn is complete nevertheless.
        with suppress(RequestRefused, EngineDied):
            async with self._listening() as recognition:
                while True:
                    self.text = await recognition.hear(await self._pieces.get())
