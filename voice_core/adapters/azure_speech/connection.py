"""The connection of one object of the SDK, opened ahead and watched."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

import azure.cognitiveservices.speech as sdk

from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.adapters.azure_speech.tcp_nodelay import send_at_once

OPEN_SECONDS = 5.0
"""How long a connection may take to open ahead of its use."""


def on_loop(loop: asyncio.AbstractEventLoop, call: Callable[..., None]) -> Callable[..., None]:
    """*call* as a thread of the SDK may make it: it happens on *loop*, or not at all once that is closed."""

    def there(*args: Any) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(partial(call, *args))

    return there


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The connection stood, and does no more."""


class WatchedConnection:
    """What the running loop knows of a connection that lives in the SDK.

    *fallen* is told when it stood and does no more.
    """

    def __init__(self, access: SpeechAccess, fallen: Callable[[ConnectionLost], None]) -> None:
        loop = asyncio.get_running_loop()
        self._access = access
        self._fallen = fallen
        self._outcome: asyncio.Future[None] = loop.create_future()
        self._opened = on_loop(loop, partial(self._change, stands=True))
        self._closed = on_loop(loop, self.lose)
        self._begun = False
        self._lock = Lock()
        self._connection: sdk.Connection | None = None
        self.stands = False

    @property
    def opening(self) -> bool:
        """It is being opened, or that failed and the SDK has not said so."""
        return self._begun and not self._outcome.done()

    async def open(self, seconds: float = OPEN_SECONDS) -> bool:
        """Open it, or wait for it when it is being opened; False when it cannot, could not or took too long."""
        if not self._begun and not self.stands:
            self._begun = True
            await self._access.run(self._open)
        if not self.stands:
            await asyncio.wait([self._outcome], timeout=seconds)
        return self.stands

    def lose(self) -> None:
        """Take it for closed."""
        self._change(stands=False)

    def attach(self, connection: "sdk.Connection") -> None:
        """Watch *connection*. To be called in a thread."""
        with self._lock:
            self._connection = connection
            connection.connected.connect(self._on_connected)
            connection.disconnected.connect(self._on_disconnected)

    def detach(self) -> None:
        """Hear of it no more, and let it go. To be called in a thread."""
        with self._lock:
            if self._connection is not None:
                self._connection.connected.disconnect_all()
                self._connection.disconnected.disconnect_all()
            self._connection = None

    def _open(self) -> None:
        with self._lock, suppress(RuntimeError):
            if self._connection is not None:
                # Opened for the other kind, recognition would not start. Synthesis does not care.
                self._connection.open(for_continuous_recognition=True)

    def _on_connected(self, _: object) -> None:
        send_at_once(self._access.port)
        self._opened()

    def _on_disconnected(self, _: object) -> None:
        self._closed()

    def _change(self, *, stands: bool) -> None:
        fell = self.stands and not stands
        self.stands = stands
        if not self._outcome.done():
            self._outcome.set_result(None)
        if fell:
            self._fallen(ConnectionLost())
