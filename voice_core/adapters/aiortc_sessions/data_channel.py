"""The data channel, from before it opens."""

import asyncio
from collections import deque
from collections.abc import Callable

from aiortc import RTCDataChannel

WAITING_MESSAGES = 1000
"""Kept for a channel that is not open yet."""

FLUSH_SECONDS = 0.3
"""How long a last message may take to leave."""


class Channel:
    """Sends text in order as soon as the client's channel is open, and gives what comes to *receive*."""

    def __init__(self, receive: Callable[[str], None]) -> None:
        self._receive = receive
        self._waiting: deque[str] = deque(maxlen=WAITING_MESSAGES)
        self._channel: RTCDataChannel | None = None

    def attach(self, channel: RTCDataChannel) -> None:
        """Use *channel*, which is open; the client's first one counts."""
        if self._channel is None:
            self._channel = channel
            channel.on("message", self._message)
            while self._waiting:
                self.send(self._waiting.popleft())

    def send(self, text: str) -> None:
        if self._channel is None:
            self._waiting.append(text)
        elif _open(self._channel):
            self._channel.send(text)

    async def flush(self) -> None:
        """Wait until all has left, though not for long."""
        channel = self._channel
        if channel is None or not _open(channel) or not channel.bufferedAmount:
            return
        left = asyncio.Event()
        channel.on("bufferedamountlow", left.set)
        channel.on("close", left.set)
        try:
            await asyncio.wait_for(left.wait(), FLUSH_SECONDS)
        except TimeoutError:
            return

    def _message(self, message: str | bytes) -> None:
        self._receive(message if isinstance(message, str) else message.decode(errors="replace"))


def _open(channel: RTCDataChannel) -> bool:
    """A channel believes itself open after the connection below it has broken off."""
    return channel.readyState == "open" and channel.transport.transport.state == "connected"
