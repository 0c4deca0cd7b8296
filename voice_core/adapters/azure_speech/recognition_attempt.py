"""The recognition of one utterance, repeated if the connection was stale."""

import asyncio
from dataclasses import dataclass

from voice_core.adapters.azure_speech.connection import ConnectionLost
from voice_core.adapters.azure_speech.connection_pool import ConnectionPool
from voice_core.adapters.azure_speech.recognizer import RecognitionEvent, Recognizer
from voice_core.adapters.azure_speech.stale_connection import StaleConnectionCheck


@dataclass(frozen=True, slots=True)
class UtteranceSummary:
    """Summary of an utterance that was written to its end."""

    pcm_bytes: int
    pause_seconds: float
    """The longest pause in it."""


Event = RecognitionEvent | asyncio.Task[UtteranceSummary]
"""An event during an utterance. The task that writes the audio ends with its summary or its error."""


class RecognitionAttempt:
    """Recognises with a pooled recogniser, or with a new one if the pooled one's connection turns out to be stale.

    For that, the audio is buffered until the first event on a connection that was open in advance.
    """

    def __init__(
        self,
        recognizers: ConnectionPool[tuple[str, ...], Recognizer],
        languages: tuple[str, ...],
        phrases: tuple[str, ...],
    ) -> None:
        self.events = asyncio.Queue[Event]()
        """After a `ConnectionLost`, call `restart`."""
        self._recognizers = recognizers
        self._languages = languages
        self._phrases = phrases
        self._recognizer: Recognizer | None = None
        self._stale_check = StaleConnectionCheck(self._drop, ready=False)
        self._buffered: list[bytes] | None = None
        self._finished = False

    @property
    def session_id(self) -> str:
        """The service's id of the connection."""
        return self._recognizer.session_id if self._recognizer is not None else ""

    async def begin(self) -> None:
        """Start with a pooled recogniser, or with a new one that connects meanwhile.

        Raises:
            StageFailed: with stage ``stt``.
        """
        self._recognizer = recognizer = await self._recognizers.take(self._languages)
        self._stale_check = StaleConnectionCheck(self._drop, ready=recognizer.opened)
        self._buffered = [] if recognizer.opened else None
        await self._start(recognizer)

    async def restart(self) -> None:
        """Start again from the beginning of the utterance, with a new recogniser.

        Raises:
            StageFailed: with stage ``stt``.
        """
        recognizer = await self._recognizers.make(self._languages)
        await self._start(recognizer)
        buffered, self._buffered = self._buffered or [], None
        self._recognizer = recognizer
        for pcm in buffered:
            recognizer.write(pcm)
        if self._finished:
            recognizer.finish()

    def write(self, pcm: bytes) -> None:
        """Recognise *pcm*, mono 16-bit at `RECOGNITION_RATE`."""
        if self._buffered is not None:
            self._buffered.append(pcm)
        if self._recognizer is not None:
            self._recognizer.write(pcm)

    def finish(self) -> None:
        """End of the audio."""
        self._finished = True
        if self._recognizer is not None:
            self._recognizer.finish()

    def discard(self) -> None:
        """Stop and free everything, without waiting for completion."""
        self._stale_check.end()
        recognizer, self._recognizer = self._recognizer, None
        if recognizer is not None:
            recognizer.discard()

    async def _start(self, recognizer: Recognizer) -> None:
        try:
            await recognizer.start(self._phrases, self._receive)
        except BaseException:
            recognizer.discard()
            raise

    def _receive(self, event: RecognitionEvent) -> None:
        if self._stale_check.accepts(event):
            self._buffered = None
            self.events.put_nowait(event)

    def _drop(self) -> None:
        self.discard()
        self.events.put_nowait(ConnectionLost())
