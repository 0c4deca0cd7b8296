"""Check the health of the product's dependencies, and share what anyone may request for /health."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from voice_core import timeouts
from voice_core.domain.errors import VoiceError
from voice_core.ports.providers import Checkable

Result = TypeVar("Result")

CHECK_SECONDS = 5.0
"""Timeout of one check."""

FRESH_SECONDS = 5.0
"""How long the result of a check is reused."""

WARM_SECONDS = 30.0
"""How long a worker counts as warm. Half the time for which unused connections to Speech are kept open."""


class SharedRun(Generic[Result]):
    """Runs *work* for all callers together, and again only *fresh_seconds* after the last run began.

    Anyone may request it without a token, and many requests must not become many calls of our providers. A caller who
    disconnects does not cancel it.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, Result]], fresh_seconds: float) -> None:
        self._work = work
        self._fresh_seconds = fresh_seconds
        self._running: asyncio.Task[Result] | None = None
        self._began = 0.0

    async def result(self) -> Result:
        """The result, or error, of the run in progress, of the last run while it is fresh, or else of a new one."""
        if self._running is None or (self._running.done() and monotonic() - self._began >= self._fresh_seconds):
            self._began = monotonic()
            self._running = asyncio.create_task(self._work())
        return await asyncio.shield(self._running)

    async def close(self) -> None:
        """Cancel the run in progress."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Check:
    """The health of one dependency."""

    ok: bool
    ms: int
    detail: str | None = None
    """The error; None when it is healthy."""


class HealthCheck:
    """Checks of *dependencies*, by their names, at most every `FRESH_SECONDS`."""

    def __init__(self, dependencies: Callable[[], Mapping[str, Checkable]]) -> None:
        self._dependencies = dependencies
        self._run = SharedRun(self._all, FRESH_SECONDS)

    async def result(self) -> Mapping[str, Check]:
        return await self._run.result()

    async def close(self) -> None:
        """Cancel the check in progress."""
        await self._run.close()

    async def _all(self) -> Mapping[str, Check]:
        dependencies = self._dependencies()
        checking: list[Awaitable[Check]] = [_check(dependency) for dependency in dependencies.values()]
        return dict(zip(dependencies, await asyncio.gather(*checking), strict=True))


async def _check(dependency: Checkable) -> Check:
    began, detail = monotonic(), None
    try:
        async with timeouts.timeout(CHECK_SECONDS):
            await dependency.check()
    except VoiceError as error:
        detail = error.detail
    except TimeoutError:
        detail = f"No response within {CHECK_SECONDS:g} s."
    return Check(detail is None, round((monotonic() - began) * 1000), detail)
