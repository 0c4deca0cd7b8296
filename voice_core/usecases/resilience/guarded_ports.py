"""Ports behind a circuit breaker and, where calls are limited, a bulkhead."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, nullcontext
from typing import Any, TypeVar, cast

from voice_core.domain.conversation import Turn
from voice_core.domain.speech import Hints, Interim, Transcript, Voice
from voice_core.ports.providers import Assistant, SpeechToText, TextToSpeech
from voice_core.timeouts import running_time
from voice_core.usecases.resilience.bulkhead import Bulkhead
from voice_core.usecases.resilience.circuit_breaker import Attempt, CircuitBreaker
from voice_core.usecases.resilience.deadlines import in_time

Item = TypeVar("Item")
Result = TypeVar("Result")
Store = TypeVar("Store")


class Guard:
    """The circuit breaker and the bulkhead of one *stage* of a provider.

    Its callers give up after *timeout_seconds*.
    """

    def __init__(
        self, stage: str, breaker: CircuitBreaker, *, timeout_seconds: float, bulkhead: Bulkhead | None = None
    ) -> None:
        self.stage = stage
        self.breaker = breaker
        self.timeout_seconds = timeout_seconds
        self._bulkhead = bulkhead

    async def stream(self, operation: Callable[[Attempt], AsyncGenerator[Item]]) -> AsyncGenerator[Item]:
        """The items of *operation*.

        Raises:
            Unavailable: at once; the circuit breaker is open.
            AtCapacity: too many calls are in progress, and none of them ended in time.
        """
        async with self._attempt() as attempt, aclosing(operation(attempt)) as items:
            async for item in items:
                attempt.item_received()
                yield item

    async def call(self, operation: Callable[[], Awaitable[Result]], deadline_seconds: float | None = None) -> Result:
        """The result of *operation*; raises as `stream`, and StageTimedOut after *deadline_seconds*."""
        async with self._attempt() as attempt:
            attempt.start_waiting()
            return await in_time(operation(), self.stage, deadline_seconds)

    @asynccontextmanager
    async def _attempt(self) -> AsyncIterator[Attempt]:
        # While the breaker is open, no caller waits for a slot.
        self.breaker.check(self.stage)
        async with self._bulkhead.slot(self.stage) if self._bulkhead else nullcontext():
            with running_time() as running:
                attempt = self.breaker.begin(self.stage, running)
                error: BaseException | None = None
                try:
                    yield attempt
                except BaseException as raised:
                    error = raised
                    raise
                finally:
                    attempt.end(error, self.timeout_seconds)


class GuardedStt:
    """Speech to text behind a guard. The wait for the service begins at the end of the utterance."""

    def __init__(self, stt: SpeechToText, guard: Guard) -> None:
        self._stt = stt
        self._guard = guard

    async def warm(self, hints: Hints) -> None:
        self._guard.breaker.check(self._guard.stage)
        await self._stt.warm(hints)

    def transcribe(self, utterance: AsyncIterable[bytes], hints: Hints) -> AsyncGenerator[Interim | Transcript]:
        return self._guard.stream(lambda attempt: self._stt.transcribe(_then_start_waiting(utterance, attempt), hints))


class GuardedAssistant:
    """An assistant behind a guard."""

    def __init__(self, assistant: Assistant, guard: Guard) -> None:
        self._assistant = assistant
        self._guard = guard

    async def warm(self) -> None:
        self._guard.breaker.check(self._guard.stage)
        await self._assistant.warm()

    def reply(self, text: str, history: Sequence[Turn]) -> AsyncGenerator[str]:
        return self._guard.stream(lambda attempt: attempt.waiting(self._assistant.reply(text, history)))


class GuardedTts:
    """Text to speech behind a guard."""

    def __init__(self, tts: TextToSpeech, guard: Guard) -> None:
        self._tts = tts
        self._guard = guard

    async def warm(self, voice: str | None) -> None:
        self._guard.breaker.check(self._guard.stage)
        await self._tts.warm(voice)

    def synthesize(self, text: str, voice: str | None) -> AsyncGenerator[bytes]:
        return self._guard.stream(lambda attempt: attempt.waiting(self._tts.synthesize(text, voice)))

    async def voices(self) -> Sequence[Voice]:
        return await self._guard.call(self._tts.voices, self._guard.timeout_seconds)


def guarded_store(store: Store, guard: Guard, deadline_seconds: float | None = None) -> Store:
    """*store*, a port that has only coroutines, behind a guard; each call ends within *deadline_seconds*."""
    return cast(Store, _GuardedStore(store, guard, deadline_seconds))


class _GuardedStore:
    def __init__(self, store: Any, guard: Guard, deadline_seconds: float | None) -> None:
        self._store = store
        self._guard = guard
        self._deadline_seconds = deadline_seconds

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._store, name)

        async def call(*args: Any, **options: Any) -> Any:
            return await self._guard.call(lambda: method(*args, **options), self._deadline_seconds)

        return call


async def _then_start_waiting(utterance: AsyncIterable[bytes], attempt: Attempt) -> AsyncGenerator[bytes]:
    async for pcm in utterance:
        yield pcm
    attempt.start_waiting()
