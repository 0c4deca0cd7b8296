"""One text on its way to a synthesizer."""

import asyncio

from voice_core.adapters.azure_speech.connection import ConnectionLost
from voice_core.adapters.azure_speech.connection_pool import ConnectionPool
from voice_core.adapters.azure_speech.stale_connection import StaleConnectionCheck
from voice_core.adapters.azure_speech.synthesizer import Spoken, Synthesizer

NEXT = "next"
"""All synthesizers on a shelf are alike: the voice is in what they speak."""


class SynthesisAttempt:
    """Speaks with a synthesizer of the shelf, or with a new one if that one's connection turns out to be gone."""

    def __init__(self, synthesizers: ConnectionPool[str, Synthesizer], ssml: str) -> None:
        self.events = asyncio.Queue[Spoken]()
        """`ConnectionLost` among them asks for `begin_again`."""
        self._synthesizers = synthesizers
        self._ssml = ssml
        self._synthesizer: Synthesizer | None = None
        self._probation = StaleConnectionCheck(self._lose, ready=False)

    async def begin(self) -> None:
        """Speak with what is ready, or with a synthesizer that connects now.

        Raises:
            StageFailed: with stage ``tts``.
        """
        self._synthesizer = await self._synthesizers.take(NEXT)
        self._probation = StaleConnectionCheck(self._lose, ready=self._synthesizer.opened)
        await self._synthesizer.speak(self._ssml, self._hear)

    async def begin_again(self) -> None:
        """Speak with a new synthesizer.

        Raises:
            StageFailed: with stage ``tts``.
        """
        self._synthesizer = await self._synthesizers.make(NEXT)
        await self._synthesizer.speak(self._ssml, self._hear)

    def put_back(self) -> None:
        """Let the next text have the synthesizer."""
        if self._synthesizer is not None:
            self._synthesizers.put(NEXT, self._synthesizer)

    def discard(self) -> None:
        """Stop and free everything, without waiting for that."""
        self._probation.end()
        synthesizer, self._synthesizer = self._synthesizer, None
        if synthesizer is not None:
            synthesizer.discard()

    def _hear(self, spoken: Spoken) -> None:
        if self._probation.believes(spoken):
            self.events.put_nowait(spoken)

    def _lose(self) -> None:
        self.discard()
        self.events.put_nowait(ConnectionLost())
