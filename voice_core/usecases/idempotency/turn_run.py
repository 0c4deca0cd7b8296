"""Turns that go on when their clients disconnect, and that clients follow."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from voice_core.domain.errors import Conflict
from voice_core.domain.events import Event, ReplyDelta, TurnFailed


class RunningRequest(Protocol):
    """The request of a turn, to be compared with one that is sent again."""

    @property
    def words_digest(self) -> str:
        """Hex digest of everything but the recording."""

    @property
    def complete(self) -> bool:
        """Whether the recording has been read to its end."""

    async def digest(self) -> str:
        """Hex digest of the complete request."""


@dataclass(frozen=True, slots=True)
class KnownRequest:
    """A request whose fingerprint is known."""

    words_digest: str
    fingerprint: str
    complete: bool = True

    async def digest(self) -> str:
        return self.fingerprint


class TurnRun:
    """One turn in progress: its events so far, and those to come."""

    def __init__(self, events: AsyncGenerator[Event], request: RunningRequest) -> None:
        self.request = request
        self.reply = ""
        """All words of the reply so far."""
        self.task = asyncio.create_task(self._run(events))
        # The turn reports its errors itself; a follower gets them too, but all may have left.
        self.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._events: list[Event] = []
        self._news = asyncio.Event()

    async def follow(self) -> AsyncGenerator[Event]:
        """All events of the turn, from its first; raises what the turn raises.

        When the worker stops, the last is TurnFailed with Conflict, ``idempotency-running``: another can go on.
        A follower that leaves early waits for the end of the turn: the invocation of its request keeps the turn alive.
        """
        given = 0
        try:
            while given < len(self._events) or not self.task.done():
                if given < len(self._events):
                    given += 1
                    yield self._events[given - 1]
                else:
                    self._news.clear()
                    await self._news.wait()
        finally:
            await asyncio.wait({self.task})
        if self.task.cancelled():
            detail = "The worker was stopped. Fetch the turn, or send its request again with the same key."
            yield TurnFailed(Conflict(detail, code="idempotency-running", retry_after=0.0))
            return
        self.task.result()

    async def _run(self, events: AsyncGenerator[Event]) -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, ReplyDelta):
                        self.reply += event.text
                    self._events.append(event)
                    self._news.set()
        finally:
            # The task is done when its followers run.
            asyncio.get_running_loop().call_soon(self._news.set)


class TurnRuns:
    """The turns that run in this worker, by their user and id."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], TurnRun] = {}

    def find(self, user_id: str, turn_id: str) -> TurnRun | None:
        """The turn, if it runs here."""
        return self._runs.get((user_id, turn_id))

    def start(self, user_id: str, turn_id: str, events: AsyncGenerator[Event], request: RunningRequest) -> TurnRun:
        """Run the turn with these *events* to its end."""
        run = self._runs[user_id, turn_id] = TurnRun(events, request)
        run.task.add_done_callback(lambda _: self._forget((user_id, turn_id), run))
        return run

    def cancel(self) -> None:
        """Cancel all turns; their journals stay."""
        for run in self._runs.values():
            run.task.cancel()

    async def close(self) -> None:
        """Cancel all turns, and wait for their end."""
        tasks = [run.task for run in self._runs.values()]
        self.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, name: tuple[str, str], run: TurnRun) -> None:
        if self._runs.get(name) is run:
            del self._runs[name]
