"""Deadlines of the stages of a turn."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import TypeVar

from voice_core import timeouts
from voice_core.domain.errors import StageTimedOut

Item = TypeVar("Item")

TOTAL_FACTOR = 4
"""Total time of a stream, in deadlines. Without it, a stream that trickles would never time out."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Deadlines in seconds. A stage that exceeds its own ends with StageTimedOut."""

    stt: float = 10.0
    """From the end of the utterance to the next interim or the transcript, and between any two of them."""
    assistant: float = 15.0
    """To the reply's first words, and between any two pieces of it."""
    tts: float = 8.0
    """To a sentence's first speech, and between any two chunks of it."""
    conversations: float = 3.0
    """For one read or write of the conversation."""


class Deadline:
    """The longest wait for the next item of a stage's stream; unlimited until `start`.

    Only time in which the event loop runs is counted: a stall of our own event loop is not the stage's failure.
    """

    def __init__(self, stage: str, seconds: float) -> None:
        self._stage = stage
        self._seconds = seconds
        self.started: float | None = None
        """Time of `start` on the event loop's clock, in seconds."""
        self._silent_seconds = seconds
        self._total_seconds = 0.0
        self._waited_seconds = 0.0
        self._waiting: timeouts.Timeout | None = None

    def start(self, sound_seconds: float = 0.0, pause_seconds: float = 0.0) -> None:
        """Start the deadline, also for an item that is already awaited.

        A stage that recognises *sound_seconds* of sound returns nothing during a pause in it, so each wait may last
        *pause_seconds*, the longest pause, in addition. All waits together may last `TOTAL_FACTOR` times as long as
        one, and *sound_seconds* in addition.
        """
        self.started = asyncio.get_running_loop().time()
        self._silent_seconds = self._seconds + pause_seconds
        self._total_seconds = TOTAL_FACTOR * self._seconds + sound_seconds
        if self._waiting is not None:
            self._waiting.start(self._timeout_seconds)

    async def next(self, stream: AsyncIterator[Item]) -> Item:
        """The next item of *stream*.

        Raises:
            StopAsyncIteration: there is none.
            StageTimedOut: it did not arrive in time.
        """
        seconds = None if self.started is None else self._timeout_seconds
        try:
            async with timeouts.timeout(seconds) as self._waiting:
                try:
                    return await anext(stream)
                finally:
                    self._waited_seconds += self._waiting.waited_seconds
        except TimeoutError as error:
            raise _timed_out(self._stage, self._silent_seconds) from error
        finally:
            self._waiting = None

    @property
    def _timeout_seconds(self) -> float:
        return min(self._silent_seconds, self._total_seconds - self._waited_seconds)


async def in_time(work: Awaitable[Item], stage: str, seconds: float | None) -> Item:
    """The result of *work*.

    Raises:
        StageTimedOut: it took longer than *seconds*; None is no limit.
    """
    try:
        async with timeouts.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise _timed_out(stage, seconds or 0.0) from error


async def paced(stream: AsyncGenerator[Item], stage: str, seconds: float) -> AsyncGenerator[Item]:
    """The items of *stream*, each at most *seconds* after the one before, and all within `TOTAL_FACTOR` times that."""
    deadline = Deadline(stage, seconds)
    deadline.start()
    try:
        while True:
            try:
                item = await deadline.next(stream)
            except StopAsyncIteration:
                return
            yield item
    finally:
        await stream.aclose()


def _timed_out(stage: str, seconds: float) -> StageTimedOut:
    return StageTimedOut(f"The {stage} stage was silent for {seconds:g} s.", stage=stage)
