"""How long the turn waits for each stage."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import TypeVar

from voice_core.domain.errors import StageTimedOut

Item = TypeVar("Item")


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
        when = None if self.started is None else self.started + self._seconds
        try:
            async with asyncio.timeout_at(when) as self._waiting:
                return await anext(stream)
        except TimeoutError as error:
            raise StageTimedOut(
                f"The {self._stage} stage did not answer within {self._seconds:g} s.", stage=self._stage
            ) from error
        finally:
            self._waiting = None


async def paced(stream: AsyncGenerator[Item], stage: str, seconds: float) -> AsyncGenerator[Item]:
    """The items of *stream*, none of them later than *seconds* after the one before."""
    deadline = Deadline(stage, seconds)
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
