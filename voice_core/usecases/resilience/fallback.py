"""Another try, or another provider, for when the first does not begin. What has begun is never begun again."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from voice_core import telemetry
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import StageFailed
from voice_core.domain.speech import Hints, Interim, Transcript, Voice
from voice_core.ports.providers import Assistant, SpeechToText, TextToSpeech
from voice_core.usecases.resilience.deadlines import Deadline
from voice_core.usecases.resilience.merged_streams import MergedStreams
from voice_core.usecases.resilience.retry import RetryBudget, retry
from voice_core.usecases.resilience.utterance_deadline import start_at_end

Item = TypeVar("Item")

FIRST_SHARE = 0.5
"""Of a stage's deadline, that the first provider has to begin in: a second needs some of it."""

TRIES = 2
PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 1.0
"""Somebody is listening to the silence."""


class PersistentAssistant:
    """Asks a second time, soon, when the assistant fails before its first word."""

    def __init__(self, assistant: Assistant, retries: RetryBudget) -> None:
        self._assistant = assistant
        self._retries = retries

    async def warm(self) -> None:
        await self._assistant.warm()

    async def reply(self, said: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        first, pieces = await retry(
            lambda: _begun(self._assistant.reply(said, history)),
            retries=self._retries,
            tries=TRIES,
            pause_seconds=PAUSE_SECONDS,
            longest_seconds=LONGEST_PAUSE_SECONDS,
        )
        async with aclosing(pieces):
            if first is not None:
                yield first
            async for piece in pieces:
                yield piece


class FallbackAssistant:
    """Asks *second* when *first* fails before its first word, or has none after its share of *seconds*."""

    def __init__(self, first: Assistant, second: Assistant, seconds: float) -> None:
        self._first = first
        self._second = second
        self._seconds = seconds

    async def warm(self) -> None:
        try:
            await self._first.warm()
        except StageFailed:
            await self._second.warm()

    def reply(self, said: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        return _either(
            self._first.reply(said, history),
            lambda: self._second.reply(said, history),
            _started(Deadline("assistant", self._seconds * FIRST_SHARE)),
        )


class FallbackTts:
    """Likewise for each sentence and its first sound."""

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
            _tell(error)
            return await self._second.voices()


class FallbackStt:
    """Has *second* hear the utterance from its beginning when *first* fails before its first interim.

    For that the utterance is kept: 32 kB a second.
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
        async with aclosing(BufferedUtterance(start_at_end(utterance, final))) as kept:
            heard = _either(
                self._first.transcribe(kept.again(), hints),
                lambda: self._second.transcribe(kept.again(), hints),
                final,
            )
            async with aclosing(heard):
                async for item in heard:
                    yield item


class BufferedUtterance:
    """An utterance that can be read again, by one reader after the other."""

    def __init__(self, utterance: AsyncGenerator[bytes]) -> None:
        # A task of its own reads it: a reader that is cancelled would end the utterance itself.
        self._rest = MergedStreams(utterance)
        self._kept: list[bytes] = []
        self._whole = False

    async def again(self) -> AsyncGenerator[bytes]:
        """All of it, and then the rest as it comes."""
        for pcm in self._kept:
            yield pcm
        if self._whole:
            return
        async for pcm in self._rest:
            self._kept.append(pcm)
            yield pcm
        self._whole = True

    async def aclose(self) -> None:
        await self._rest.aclose()


async def _either(
    first: AsyncGenerator[Item], second: Callable[[], AsyncGenerator[Item]], deadline: Deadline
) -> AsyncGenerator[Item]:
    """The items of *first*, or those of *second* when the first of *first* does not come by the *deadline*."""
    async with aclosing(first):
        try:
            while _says_nothing(item := await deadline.next(first)):
                yield item
        except StopAsyncIteration:
            return
        except StageFailed as error:
            _tell(error)
        else:
            yield item
            async for item in first:
                yield item
            return
    async with aclosing(second()) as instead:
        async for item in instead:
            yield item


def _says_nothing(item: object) -> bool:
    """Whether *item* is only a sign that recognition goes on."""
    return isinstance(item, Interim) and not item.text


async def _begun(items: AsyncGenerator[Item]) -> tuple[Item | None, AsyncGenerator[Item]]:
    """The first of *items*, None if there is none, and the others."""
    return await anext(items, None), items


def _started(deadline: Deadline) -> Deadline:
    deadline.start()
    return deadline


def _tell(error: StageFailed) -> None:
    telemetry.event("fallback-used", telemetry.reason(error))
