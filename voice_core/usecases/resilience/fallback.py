"""A second provider, when the first fails before its first item. A begun stream is not repeated."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from voice_core import telemetry
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import StageFailed
from voice_core.domain.speech import Hints, Interim, Transcript, Voice
from voice_core.ports.providers import Assistant, SpeechToText, TextToSpeech
from voice_core.usecases.resilience.buffered_utterance import BufferedUtterance
from voice_core.usecases.resilience.deadlines import Deadline
from voice_core.usecases.resilience.utterance_deadline import start_at_end

Item = TypeVar("Item")

FIRST_SHARE = 0.5
"""Share of a stage's deadline in which the first provider must begin; the rest is left for the second."""


class FallbackAssistant:
    """Calls *second* when *first* fails before its first word, or has returned none after its share of *seconds*."""

    def __init__(self, first: Assistant, second: Assistant, seconds: float) -> None:
        self._first = first
        self._second = second
        self._seconds = seconds

    async def warm(self) -> None:
        try:
            await self._first.warm()
        except StageFailed:
            await self._second.warm()

    def reply(self, text: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        return _either(
            self._first.reply(text, history),
            lambda: self._second.reply(text, history),
            _started(Deadline("assistant", self._seconds * FIRST_SHARE)),
        )


class FallbackTts:
    """Calls *second* for a sentence when *first* fails before its first sound, or exceeds its share of *seconds*."""

    def __init__(self, first: TextToSpeech, second: TextToSpeech, seconds: float) -> None:
        self._first = first
        self._second = second
        self._seconds = seconds

    async def warm(self, voice: str | None) -> None:
        try:
            await self._first.warm(voice)
        except StageFailed:
            await self._second.warm(voice)

    def synthesize(self, text: str, voice: str | None) -> AsyncGenerator[bytes]:
        return _either(
            self._first.synthesize(text, voice),
            lambda: self._second.synthesize(text, voice),
            _started(Deadline("tts", self._seconds * FIRST_SHARE)),
        )

    async def voices(self) -> Sequence[Voice]:
        try:
            return await self._first.voices()
        except StageFailed as error:
            _report(error)
            return await self._second.voices()


class FallbackStt:
    """Sends the utterance to *second*, from its beginning, when *first* fails before its first interim transcript.

    For that the utterance is buffered: 32 kB a second.
    """

    def __init__(self, first: SpeechToText, second: SpeechToText, seconds: float) -> None:
        self._first = first
        self._second = second
        self._seconds = seconds

    async def warm(self, hints: Hints) -> None:
        try:
            await self._first.warm(hints)
        except StageFailed:
            await self._second.warm(hints)

    async def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        final = Deadline("stt", self._seconds * FIRST_SHARE)
        async with aclosing(BufferedUtterance(start_at_end(utterance, final))) as buffered:
            items = _either(
                self._first.transcribe(buffered.from_start(), hints),
                lambda: self._second.transcribe(buffered.from_start(), hints),
                final,
            )
            async with aclosing(items):
                async for item in items:
                    yield item


async def _either(
    first: AsyncGenerator[Item], second: Callable[[], AsyncGenerator[Item]], deadline: Deadline
) -> AsyncGenerator[Item]:
    """The items of *first*, or those of *second* when *first* fails or misses the *deadline* before its first item."""
    async with aclosing(first):
        try:
            while _is_empty_interim(item := await deadline.next(first)):
                yield item
        except StopAsyncIteration:
            return
        except StageFailed as error:
            _report(error)
        else:
            yield item
            async for item in first:
                yield item
            return
    async with aclosing(second()) as replacement:
        async for item in replacement:
            yield item


def _is_empty_interim(item: object) -> bool:
    """Whether *item* has no words and only shows that recognition continues."""
    return isinstance(item, Interim) and not item.text


def _started(deadline: Deadline) -> Deadline:
    deadline.start()
    return deadline


def _report(error: StageFailed) -> None:
    telemetry.event("fallback-used", telemetry.reason(error))
