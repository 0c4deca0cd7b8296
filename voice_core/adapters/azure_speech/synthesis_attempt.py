"""The synthesis of one text, repeated if the connection was stale."""

import asyncio

from voice_core.adapters.azure_speech.connection import ConnectionLost
from voice_core.adapters.azure_speech.connection_pool import ConnectionPool
from voice_core.adapters.azure_speech.stale_connection import StaleConnectionCheck
from voice_core.adapters.azure_speech.synthesizer import SynthesisEvent, Synthesizer

NEXT = "next"
"""Key of all synthesizers in the pool: they are alike, because the voice is part of the SSML."""


class SynthesisAttempt:
    """Speaks with a pooled synthesizer, or with a new one if the pooled one's connection turns out to be stale."""

    def __init__(self, synthesizers: ConnectionPool[str, Synthesizer], ssml: str) -> None:
        self.events = asyncio.Queue[SynthesisEvent]()
        """After a `ConnectionLost`, call `restart`."""
        self._synthesizers = synthesizers
        self._ssml = ssml
        self._synthesizer: Synthesizer | None = None
        self._stale_check = StaleConnectionCheck(self._drop, ready=False)

    async def begin(self) -> None:
        """Start with a pooled synthesizer, or with a new one that connects now.

        Raises:
            StageFailed: with stage ``tts``.
        """
        self._synthesizer = await self._synthesizers.take(NEXT)
        self._stale_check = StaleConnectionCheck(self._drop, ready=self._synthesizer.opened)
        await self._synthesizer.speak(self._ssml, self._receive)

    async def restart(self) -> None:
        """Start again with a new synthesizer.

        Raises:
            StageFailed: with stage ``tts``.
        """
        self._synthesizer = await self._synthesizers.make(NEXT)
        await self._synthesizer.speak(self._ssml, self._receive)

    def put_back(self) -> None:
        """Return the synthesizer to the pool."""
        if self._synthesizer is not None:
            self._synthesizers.put(NEXT, self._synthesizer)

    def discard(self) -> None:
        """Stop and free everything, without waiting for completion."""
        self._stale_check.end()
        synthesizer, self._synthesizer = self._synthesizer, None
        if synthesizer is not None:
            synthesizer.discard()

    def _receive(self, event: SynthesisEvent) -> None:
        if self._stale_check.accepts(event):
            self.events.put_nowait(event)

    def _drop(self) -> None:
        self.discard()
        self.events.put_nowait(ConnectionLost())
