"""Whether the other side is still there."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc import RTCIceTransport

LOST_SECONDS = 8.0
"""Without a sign of life. Browsers ask for consent (RFC 7675) every 2.5 to 5 s, and answer ours, every 4 to 6 s."""


class Liveness:
    """Listens for whatever a client sends: sound, connectivity checks, answers to ours.

    Not all send all: a muted browser sends no sound, libnice (GStreamer) by default no checks once it is connected.
    aiortc itself knows no state between connected and failed, and fails after half a minute.
    """

    def __init__(
        self, lost: Callable[[], None], found: Callable[[], None], *, lost_seconds: float = LOST_SECONDS
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._lost, self._found = lost, found
        self._seconds = lost_seconds
        self._gone = False
        self.heard = self._loop.time()
        """The latest sign, on the event loop's clock."""
        self._timer: asyncio.TimerHandle | None = None
        self._overheard: list[asyncio.DatagramProtocol] = []

    def follow(self, transport: RTCIceTransport) -> None:
        """Begin with a transport that is connected: before that its sockets are not all there."""
        for protocol in transport._connection._protocols:
            self._overhear(protocol)
        self._beat()
        self._look_later()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # Else they would keep one another until the collector comes.
        while self._overheard:
            vars(self._overheard.pop()).pop("datagram_received", None)

    def _beat(self) -> None:
        """There was a sign of life."""
        self.heard = self._loop.time()
        if self._gone:
            self._gone = False
            self._found()

    def _overhear(self, protocol: asyncio.DatagramProtocol) -> None:
        take = protocol.datagram_received

        def received(data: bytes, address: Any) -> None:
            self._beat()
            take(data, address)

        vars(protocol)["datagram_received"] = received
        self._overheard.append(protocol)

    def _look_later(self) -> None:
        self._timer = self._loop.call_later(self._seconds / 8, self._look)

    def _look(self) -> None:
        self._look_later()
        if not self._gone and self._loop.time() - self.heard > self._seconds:
            self._gone = True
            self._lost()
