"""Telling a connection that is gone from one that works, when it was opened ahead of its use."""

import asyncio
from collections.abc import Callable

from voice_core.adapters.azure_speech.connection import ConnectionLost
from voice_core.domain.errors import StageFailed

GRACE_SECONDS = 0.05
"""For the SDK to tell why a connection fell, or to bring it back. It needs a few milliseconds, if it does at all."""


class StaleConnectionCheck:
    """Of a connection that was ready, from its first use until anything comes of it.

    The service closes connections that are idle. The SDK may hear of it when it has begun to send: then it may give up,
    or wait for ever. In both cases *gone* is called, once, and somebody else has to do the work.
    """

    def __init__(self, gone: Callable[[], None], *, ready: bool) -> None:
        self._gone = gone
        self._lasts = ready
        self._timer: asyncio.TimerHandle | None = None

    def believes(self, event: object) -> bool:
        """Whether *event* counts; False for what only says that the connection is gone."""
        if isinstance(event, ConnectionLost):
            if self._lasts and self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._fail)
            return False
        if self._lasts and _may_go_better(event):
            self._fail()
            return False
        self.end()
        return True

    def end(self) -> None:
        """From now on everything counts."""
        self._lasts = False
        if self._timer is not None:
            self._timer.cancel()

    def _fail(self) -> None:
        self.end()
        self._gone()


def _may_go_better(event: object) -> bool:
    """A failure that says nothing but that it did not work: too busy, not allowed and too late are answers."""
    return type(event) is StageFailed and event.retryable
