"""Detects whether the client is still connected."""

import asyncio
from collections.abc import Callable

from aiortc import RTCIceTransport

from voice_core.adapters.aiortc_sessions.datagrams import DatagramTap

LOST_SECONDS = 8.0
"""Time without a sign of life after which the client counts as lost. Browsers check consent (RFC 7675) every 2.5 to
5 s, and respond to our checks, every 4 to 6 s."""


class Liveness:
    """Watches for any packet from a client: audio, connectivity checks, responses to our checks.

    Not every client sends all of these: a muted browser sends no audio, and libnice (GStreamer) by default no checks
    once it is connected. aiortc itself has no state between connected and failed, and fails after half a minute.

    *on_lost* is called after *lost_seconds* without a packet, *on_found* at the first packet after that.
    """

    def __init__(
        self, on_lost: Callable[[], None], on_found: Callable[[], None], *, lost_seconds: float = LOST_SECONDS
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_lost, self._on_found = on_lost, on_found
        self._seconds = lost_seconds
        self._silent = False
        self.last_sign_at = self._loop.time()
        """Time of the latest sign of life, on the event loop's clock."""
        self._timer: asyncio.TimerHandle | None = None
        self._tap = DatagramTap(lambda _data, _address: self._sign_of_life())

    def follow(self, transport: RTCIceTransport) -> None:
        """Begin to watch *transport*, which must be connected."""
        self._tap.follow(transport)
        self._sign_of_life()
        self._schedule_check()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._tap.stop()

    def _sign_of_life(self) -> bool:
        """Note a sign of life; True, so that it goes further."""
        self.last_sign_at = self._loop.time()
        if self._silent:
            self._silent = False
            self._on_found()
        return True

    def _schedule_check(self) -> None:
        self._timer = self._loop.call_later(self._seconds / 8, self._check)

    def _check(self) -> None:
        self._schedule_check()
        if not self._silent and self._loop.time() - self.last_sign_at > self._seconds:
            self._silent = True
            self._on_lost()
