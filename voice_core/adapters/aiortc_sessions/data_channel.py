"""The data channel; messages can be sent before it opens."""

import asyncio
from collections import deque
from collections.abc import Callable

from aiortc import RTCDataChannel

from voice_core.domain.token_bucket import TokenBucket

WAITING_MESSAGES = 1000
"""Most messages that wait for the channel to open; the oldest are dropped."""

FLUSH_SECONDS = 0.3
"""How long `Channel.flush` waits for the last messages to leave."""

MESSAGES_PER_SECOND = 10
MESSAGES_AT_ONCE = 100
"""Messages of a client: a press has two, and an update of its options is one."""

MAX_UNSENT_BYTES = 1_000_000
"""Most bytes of messages that wait for a client that acknowledges nothing: a reply's events have some 20 kB."""


class Channel:
    """Sends text in order once the client's channel is open, and passes received text to *receive*.

    *on_excess* is called when the client sends more messages than it may, or receives none.
    """

    def __init__(self, receive: Callable[[str], None], on_excess: Callable[[], None]) -> None:
        self._receive = receive
        self._on_excess = on_excess
        self._bucket = TokenBucket(MESSAGES_PER_SECOND, MESSAGES_AT_ONCE)
        self._waiting: deque[str] = deque(maxlen=WAITING_MESSAGES)
        self._channel: RTCDataChannel | None = None

    def attach(self, channel: RTCDataChannel) -> None:
        """Use *channel*, which is open, and send the waiting messages. Only the client's first channel is used."""
        if self._channel is None:
            self._channel = channel
            channel.on("message", self._message)
            while self._waiting:
                self.send(self._waiting.popleft())

    def send(self, text: str) -> None:
        if self._channel is None:
            self._waiting.append(text)
        elif _open(self._channel):
            if self._channel.bufferedAmount > MAX_UNSENT_BYTES:
                self._on_excess()
            else:
                self._channel.send(text)

    async def flush(self) -> None:
        """Wait until all messages have left, at most `FLUSH_SECONDS`."""
        channel = self._channel
        if channel is None or not _open(channel) or not channel.bufferedAmount:
            return
        drained = asyncio.Event()
        channel.on("bufferedamountlow", drained.set)
        channel.on("close", drained.set)
        try:
            await asyncio.wait_for(drained.wait(), FLUSH_SECONDS)
        except TimeoutError:
            return

    def _message(self, message: str | bytes) -> None:
        if not self._bucket.take(asyncio.get_running_loop().time()):
            self._on_excess()
            return
        self._receive(message if isinstance(message, str) else message.decode(errors="replace"))


def _open(channel: RTCDataChannel) -> bool:
    """Whether *channel* can send. Its own state stays ``open`` after the connection below it has broken off."""
    return channel.readyState == "open" and channel.transport.transport.state == "connected"
