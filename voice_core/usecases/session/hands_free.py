"""Hands-free turns: endpointing finds where the user's utterances begin and end, so no button is needed."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from voice_core.audio.endpointing import Endpointer, UtteranceAudio, UtteranceStart

CountSound = Callable[[str, int], Awaitable[None]]
"""Counts milliseconds of sound that a user has sent; raises VoiceError if the user may send no more."""


class HandsFree:
    """Splits continuous sound, mono 16-bit PCM at 16 kHz, into utterances.

    *begun* is called with each utterance as soon as it begins, and *ended* when it has ended. *between* is called with
    numbers of bytes that were in no utterance. An utterance has at most *longest* bytes; the rest of it is in none.
    """

    def __init__(
        self,
        *,
        begun: Callable[[AsyncGenerator[bytes]], None],
        ended: Callable[[], None],
        between: Callable[[int], None],
        longest: int,
    ) -> None:
        self._begun, self._ended, self._between = begun, ended, between
        self._longest = longest
        self._utterance: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._size = 0
        """Bytes of the current utterance."""

    async def split(self, sound: AsyncGenerator[bytes]) -> None:
        endpointer = Endpointer()
        try:
            async with aclosing(sound):
                async for pcm in sound:
                    in_utterances = sum(map(self._handle, endpointer.feed(pcm)))
                    self._between(len(pcm) - in_utterances)
        finally:
            self._utterance.put_nowait(None)

    def _handle(self, event: object) -> int:
        """The bytes of *event* that belong to an utterance."""
        match event:
            case UtteranceStart(opening):
                self._utterance, self._size = asyncio.Queue(), 0
                added = self._add(opening)
                self._begun(_queued(self._utterance))
                return added
            case UtteranceAudio(more):
                return self._add(more)
            case _:
                self._utterance.put_nowait(None)
                self._ended()
                return 0

    def _add(self, pcm: bytes) -> int:
        if self._size >= self._longest:
            return 0
        self._size += len(pcm)
        self._utterance.put_nowait(pcm)
        return len(pcm)


async def _queued(pieces: asyncio.Queue[bytes | None]) -> AsyncGenerator[bytes]:
    while (piece := await pieces.get()) is not None:
        yield piece
