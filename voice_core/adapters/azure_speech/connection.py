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
    """*call* for threads of the SDK: it runs on *loop*, or not at all once *loop* is closed."""

    def on_event(*args: Any) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(partial(call, *args))

    return on_event


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """An open connection was closed."""


class WatchedConnection:
    """The state of a connection of the SDK, as the running loop knows it.

    *on_lost* is called when an open connection was closed.
    """

    def __init__(self, access: SpeechAccess, on_lost: Callable[[ConnectionLost], None]) -> None:
        loop = asyncio.get_running_loop()
        self._access = access
        self._on_lost = on_lost
        self._outcome: asyncio.Future[None] = loop.create_future()
        self._opened = on_loop(loop, partial(self._change, is_open=True))
        self._closed = on_loop(loop, self.mark_closed)
        self._opening_began = False
        self._lock = Lock()
        self._connection: sdk.Connection | None = None
        self.is_open = False

    @property
    def opening(self) -> bool:
        """Whether it is being opened, or that failed and the SDK has not reported it yet."""
        return self._opening_began and not self._outcome.done()

    async def open(self, seconds: float = OPEN_SECONDS) -> bool:
        """Open the connection, or wait while it is being opened; False if that failed or took longer than *seconds*."""
        if not self._opening_began and not self.is_open:
            self._opening_began = True
            await self._access.run(self._open)
        if not self.is_open:
            await asyncio.wait([self._outcome], timeout=seconds)
        return self.is_open

    def mark_closed(self) -> None:
        """Regard the connection as closed."""
        self._change(is_open=False)

    def attach(self, connection: "sdk.Connection") -> None:
        """Watch *connection*. Blocks: call it in a thread."""
        with self._lock:
            self._connection = connection
            connection.connected.connect(self._on_connected)
            connection.disconnected.connect(self._on_disconnected)

    def detach(self) -> None:
        """Stop watching the connection and release it. Blocks: call it in a thread."""
        with self._lock:
            if self._connection is not None:
                self._connection.connected.disconnect_all()
                self._connection.disconnected.disconnect_all()
            self._connection = None

    def _open(self) -> None:
        with self._lock, suppress(RuntimeError):
            if self._connection is not None:
                # Continuous recognition does not start on a connection opened with False. Synthesis accepts both.
                self._connection.open(for_continuous_recognition=True)

    def _on_connected(self, _: object) -> None:
        send_at_once(self._access.port)
        self._opened()

    def _on_disconnected(self, _: object) -> None:
        self._closed()

    def _change(self, *, is_open: bool) -> None:
        lost = self.is_open and not is_open
        self.is_open = is_open
        if not self._outcome.done():
            self._outcome.set_result(None)
        if lost:
            self._on_lost(ConnectionLost())
