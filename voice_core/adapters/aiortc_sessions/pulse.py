"""Whether the other side is still there."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc import RTCIceTransport

LOST_SECONDS = 8.0
"""Without a sign of life. Browsers ask for consent (RFC 7675) every 2.5 to 5 s, aiortc within 6 s."""


class Pulse:
    """Listens for the client's connectivity checks, which come whether it speaks or not.

    aiortc itself knows no state between connected and failed, and fails after half a minute.
    """

    def __init__(
        self,
        transport: RTCIceTransport,
        lost: Callable[[], None],
        found: Callable[[], None],
        *,
        lost_seconds: float = LOST_SECONDS,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._lost, self._found = lost, found
        self._seconds = lost_seconds
        self._gone = False
        self._heard = self._loop.time()
        self._timer = self._loop.call_later(lost_seconds / 8, self._look)
        connection = transport._connection
        self._answer = connection.request_received
        connection.request_received = self._request_received  # type: ignore[method-assign, assignment]

    def stop(self) -> None:
        self._timer.cancel()

    def beat(self) -> None:
        """There was a sign of life."""
        self._heard = self._loop.time()
        if self._gone:
            self._gone = False
            self._found()

    def _request_received(self, *request: Any) -> None:
        self.beat()
        self._answer(*request)

    def _look(self) -> None:
        self._timer = self._loop.call_later(self._seconds / 8, self._look)
        if not self._gone and self._loop.time() - self._heard > self._seconds:
            self._gone = True
            self._lost()
