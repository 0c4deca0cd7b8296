"""How long the turn waits for each stage."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from voice_core.domain.errors import StageTimedOut

Item = TypeVar("Item")

WHOLE = 4
"""Deadlines that all of a stream may take: one that trickles would be in time for ever."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. A stage that keeps one of them too long ends with StageTimedOut."""

    stt: float = 10.0
    """From the end of the utterance to its transcript."""
    assistant: float = 15.0
    """To the reply's first words, and between any two pieces of it."""
    tts: float = 8.0
    """To a sentence's first speech, and between any two chunks of it."""
    conversations: float = 3.0
    """For one look at the conversation, or one line in it."""


class Deadline:
    """The moment by which the next item of a stream must come; none until `start`."""

    def __init__(self, stage: str, seconds: float) -> None:
        self._stage = stage
        self._seconds = seconds
        self.started: float | None = None
        """On the event loop's clock, seconds."""
        self.latest = inf
        """Likewise: beyond this it is over, however often it is started."""
        self._waiting: asyncio.Timeout | None = None

    def start(self) -> None:
        """Count from now, also for an item that is already awaited."""
        self.started = asyncio.get_running_loop().time()
        if self._waiting is not None:
            self._waiting.reschedule(self.started + self._seconds)

    async def next(self, stream: AsyncIterator[Item]) -> Item:
        """The next item of *stream*.

        Raises:
            StopAsyncIteration: there is none.
            StageTimedOut: it did not come in time.
        """
        when = None if self.started is None else min(self.started + self._seconds, self.latest)
        try:
            async with asyncio.timeout_at(when) as self._waiting:
                return await anext(stream)
        except TimeoutError as error:
            raise _timed_out(self._stage, self._seconds) from error
        finally:
            self._waiting = None


async def in_time(work: Awaitable[Item], stage: str, seconds: float | None) -> Item:
    """What *work* gives.

    Raises:
        StageTimedOut: it took longer than *seconds*, if that is limited.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise _timed_out(stage, seconds or 0.0) from error


async def paced(stream: AsyncGenerator[Item], stage: str, seconds: float) -> AsyncGenerator[Item]:
    """The items of *stream*, none later than *seconds* after the one before, and all within `WHOLE` times as long."""
    deadline = Deadline(stage, seconds)
    deadline.latest = asyncio.get_running_loop().time() + WHOLE * seconds
    try:
        while True:
            deadline.start()
            try:
                item = await deadline.next(stream)
            except StopAsyncIteration:
                return
            yield item
    finally:
        await stream.aclose()


def _timed_out(stage: str, seconds: float) -> StageTimedOut:
    return StageTimedOut(f"The {stage} stage did not answer within {seconds:g} s.", stage=stage)
