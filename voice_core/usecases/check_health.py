"""Ask all that the product needs how it is."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import monotonic

from voice_core import timeouts
from voice_core.domain.errors import VoiceError
from voice_core.ports.providers import Checkable

CHECK_SECONDS = 5.0
"""How long one may take."""

FRESH_SECONDS = 5.0
"""How long a check-up is told again: anyone may ask, and many who do must not become many requests to our providers."""


@dataclass(frozen=True, slots=True)
class Check:
    """How one dependency is."""

    ok: bool
    ms: int
    detail: str | None = None
    """What is wrong."""


class HealthCheck:
    """Checks of *dependencies*, by their names; those who ask at the same time share one."""

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
        detail = f"It did not answer within {CHECK_SECONDS:g} s."
    return Check(detail is None, round((monotonic() - began) * 1000), detail)
