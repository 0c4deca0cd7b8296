"""Detects that a connection which was opened ahead of its use has been closed meanwhile."""

import asyncio
from collections.abc import Callable

from voice_core.adapters.azure_speech.connection import ConnectionLost
from voice_core.domain.errors import StageFailed

GRACE_SECONDS = 0.05
"""How long the SDK may take to report why a connection was closed, or to reopen it. It needs a few milliseconds, if it
does so at all."""


class StaleConnectionCheck:
    """Checks a connection that was *ready* in advance, from its first use to its first event.

    The service closes idle connections. The SDK may notice only after it has begun to send: then it may fail, or wait
    for ever. In both cases *on_stale* is called once, and the work must be repeated on a new connection.
    """

    def __init__(self, on_stale: Callable[[], None], *, ready: bool) -> None:
        self._on_stale = on_stale
        self._active = ready
        self._timer: asyncio.TimerHandle | None = None

    def accepts(self, event: object) -> bool:
        """Whether *event* counts; False if it only means that the connection is stale."""
        if isinstance(event, ConnectionLost):
            if self._active and self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._fail)
            return False
        if self._active and _worth_retrying(event):
            self._fail()
            return False
        self.end()
        return True

    def end(self) -> None:
        """End the check: from now on every event counts."""
        self._active = False
        if self._timer is not None:
            self._timer.cancel()

    def _fail(self) -> None:
        self.end()
        self._on_stale()


def _worth_retrying(event: object) -> bool:
    """Whether *event* is a failure without a specific reason: throttling, refusal and timeout have one."""
    return type(event) is StageFailed and event.retryable
