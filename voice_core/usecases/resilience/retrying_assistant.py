"""A second try for an assistant that fails before its first word. A begun stream is not repeated."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from voice_core.domain.conversation import Turn
from voice_core.ports.providers import Assistant
from voice_core.usecases.resilience.retry import RetryBudget, retry

TRIES = 2

PAUSE_SECONDS = 0.1

LONGEST_PAUSE_SECONDS = 1.0
"""Longest pause before another try; if the provider asks for a longer one, the error is raised: a user is waiting."""


class RetryingAssistant:
    """Calls the assistant a second time, soon, when it fails before its first word."""

    def __init__(self, assistant: Assistant, retries: RetryBudget) -> None:
        self._assistant = assistant
        self._retries = retries

    async def warm(self) -> None:
        await self._assistant.warm()

    async def reply(self, text: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        first, pieces = await retry(
            lambda: _begun(self._assistant.reply(text, history)),
            retries=self._retries,
            tries=TRIES,
            pause_seconds=PAUSE_SECONDS,
            longest_seconds=LONGEST_PAUSE_SECONDS,
        )
        async with aclosing(pieces):
            if first is not None:
                yield first
            async for piece in pieces:
                yield piece


async def _begun(items: AsyncGenerator[str]) -> tuple[str | None, AsyncGenerator[str]]:
    """The first of *items*, None if there is none, and the iterator for the rest."""
    return await anext(items, None), items
