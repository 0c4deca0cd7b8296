"""Check the health of the product's dependencies."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import monotonic

from voice_core import timeouts
from voice_core.domain.errors import VoiceError
from voice_core.ports.providers import Checkable

CHECK_SECONDS = 5.0
"""Timeout of one check."""

FRESH_SECONDS = 5.0
"""How long a result is reused: anyone may request it, and many requests must not become many calls of our providers."""


@dataclass(frozen=True, slots=True)
class Check:
    """The health of one dependency."""

    ok: bool
    ms: int
    detail: str | None = None
    """The error; None when it is healthy."""


class HealthCheck:
    """Checks of *dependencies*, by their names; requests at the same time share one check."""

    def __init__(self, dependencies: Callable[[], Mapping[str, Checkable]]) -> None:
        self._dependencies = dependencies
        self._checking: asyncio.Task[Mapping[str, Check]] | None = None
        self._began = 0.0

    async def result(self) -> Mapping[str, Check]:
        if self._checking is None or (self._checking.done() and monotonic() - self._began >= FRESH_SECONDS):
            self._began = monotonic()
            self._checking = asyncio.create_task(self._all())
        return await asyncio.shield(self._checking)

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
