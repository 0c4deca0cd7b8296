"""A scripted peer of a session: a test causes its events, and reads what was sent and played to it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from voice_core.domain.audio import SPEECH_RATE, seconds
from voice_core.domain.session import PeerClosed, PeerConnected, PeerEvent, PeerMessage


class ScriptedPeer:
    """A peer that plays at once, and whose events and sound a test provides."""

    answer = "v=0"
    ice = "ufrag"

    def __init__(self, *, writes: bool = True) -> None:
        self.writes = writes
        self.sent: list[dict[str, Any]] = []
        self.heard_seconds = 0.0
        self.reply = bytearray()
        """The speech of the latest reply that has been played or queued."""
        self.hushed = 0
        self.awake = 0
        self.closed = False
        self.playing = asyncio.Event()
        self.playing.set()
        """While it is cleared, no reply is played to its end."""
        self._begun = False
        self._events: asyncio.Queue[PeerEvent] = asyncio.Queue()
        self._microphone: asyncio.Queue[bytes | None] | None = None
        self.trailing_seconds: float | None = None

    def happens(self, event: PeerEvent) -> None:
        self._events.put_nowait(event)

    def connects(self) -> None:
        self.happens(PeerConnected())

    def leaves(self) -> None:
        self.happens(PeerClosed())

    def says(self, kind: str, **members: Any) -> None:
        self.happens(PeerMessage(json.dumps({"type": kind, **members})))

    def speaks(self, pcm: bytes) -> None:
        if self._microphone is not None:
            for start in range(0, len(pcm), 640):
                self._microphone.put_nowait(pcm[start : start + 640])

    @property
    def unheard(self) -> bool:
        """Whether sound waits to be heard."""
        return self._microphone is not None and not self._microphone.empty()

    def messages(self, *kinds: str) -> list[dict[str, Any]]:
        return [document for document in self.sent if not kinds or document["type"] in kinds]

    async def happened(self) -> PeerEvent:
        return await self._events.get()

    def send(self, text: str) -> None:
        self.sent.append(json.loads(text))

    def listen(self) -> AsyncGenerator[bytes]:
        self.stop_listening()
        self._microphone = asyncio.Queue()
        return _pieces(self._microphone)

    def stop_listening(self, trailing_seconds: float = 0.0) -> None:
        if self._microphone is not None:
            self._microphone.put_nowait(None)
            self._microphone, self.trailing_seconds = None, trailing_seconds

    def wake(self) -> None:
        self.awake += 1

    def play(self, pcm: bytes) -> None:
        if not self._begun:
            self._begun, self.heard_seconds = True, 0.0
            self.reply.clear()
        self.reply += pcm

    async def played(self) -> None:
        await self.playing.wait()
        self._begun = False
        self.heard_seconds = seconds(len(self.reply), SPEECH_RATE)

    def hush(self) -> None:
        self._begun = False
        self.hushed += 1

    async def add_candidates(self, fragment: str) -> None:
        """Ignored: there is no connection."""

    async def aclose(self) -> None:
        self.closed = True


async def _pieces(sound: asyncio.Queue[bytes | None]) -> AsyncGenerator[bytes]:
    while (piece := await sound.get()) is not None:
        yield piece
