"""One utterance on its way to a recogniser."""

import asyncio
from dataclasses import dataclass

from voice_core.adapters.azure_speech.connection import ConnectionLost
from voice_core.adapters.azure_speech.connection_pool import ConnectionPool
from voice_core.adapters.azure_speech.recognizer import Heard, Recognizer
from voice_core.adapters.azure_speech.stale_connection import StaleConnectionCheck


@dataclass(frozen=True, slots=True)
class UtteranceSummary:
    """An utterance that was written to its end."""

    pcm_bytes: int
    pause_seconds: float
    """The longest pause in it."""


Event = Heard | asyncio.Task[UtteranceSummary]
"""What happens during an utterance. The task that feeds it gives what it was, or what kept it from reaching its end."""


class RecognitionAttempt:
    """Listens with a recogniser of the shelf, or with a new one if that one's connection turns out to be gone.

    For that the sound is kept until something is heard on a connection that was ready.
    """

    def __init__(
        self,
        recognizers: ConnectionPool[tuple[str, ...], Recognizer],
        languages: tuple[str, ...],
        phrases: tuple[str, ...],
    ) -> None:
        self.events = asyncio.Queue[Event]()
        """`ConnectionLost` among them asks for `begin_again`."""
        self._recognizers = recognizers
        self._languages = languages
        self._phrases = phrases
        self._recognizer: Recognizer | None = None
        self._probation = StaleConnectionCheck(self._lose, ready=False)
        self._kept: list[bytes] | None = None
        self._finished = False

    @property
    def session_id(self) -> str:
        """By which the service knows the connection."""
        return self._recognizer.session_id if self._recognizer is not None else ""

    async def begin(self) -> None:
        """Listen with what is ready, or with a recogniser that connects meanwhile.

        Raises:
            StageFailed: with stage ``stt``.
        """
        self._recognizer = recognizer = await self._recognizers.take(self._languages)
        self._probation = StaleConnectionCheck(self._lose, ready=recognizer.opened)
        self._kept = [] if recognizer.opened else None
        await self._start(recognizer)

    async def begin_again(self) -> None:
        """Hear all of the utterance with a new recogniser.

        Raises:
            StageFailed: with stage ``stt``.
        """
        recognizer = await self._recognizers.make(self._languages)
        await self._start(recognizer)
        kept, self._kept = self._kept or [], None
        self._recognizer = recognizer
        for pcm in kept:
            recognizer.write(pcm)
        if self._finished:
            recognizer.finish()

    def write(self, pcm: bytes) -> None:
        """Hear *pcm*, mono 16-bit at `RECOGNITION_RATE`."""
        if self._kept is not None:
            self._kept.append(pcm)
        if self._recognizer is not None:
            self._recognizer.write(pcm)

    def finish(self) -> None:
        """There is no more to hear."""
        self._finished = True
        if self._recognizer is not None:
            self._recognizer.finish()

    def discard(self) -> None:
        """Stop and free everything, without waiting for that."""
        self._probation.end()
        recognizer, self._recognizer = self._recognizer, None
        if recognizer is not None:
            recognizer.discard()

    async def _start(self, recognizer: Recognizer) -> None:
        try:
            await recognizer.start(self._phrases, self._hear)
        except BaseException:
            recognizer.discard()
            raise

    def _hear(self, heard: Heard) -> None:
        if self._probation.believes(heard):
            self._kept = None
            self.events.put_nowait(heard)

    def _lose(self) -> None:
        self.discard()
        self.events.put_nowait(ConnectionLost())
