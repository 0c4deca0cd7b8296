"""Circuit breakers, bulkheads, retries and fallbacks between the product and its providers."""

from typing import TypeVar

from voice_core.ports.providers import Assistant, SpeechToText, TextToSpeech
from voice_core.settings import Settings
from voice_core.usecases.resilience.bulkhead import Bulkhead
from voice_core.usecases.resilience.circuit_breaker import CircuitBreaker
from voice_core.usecases.resilience.fallback import FIRST_SHARE, FallbackAssistant, FallbackStt, FallbackTts
from voice_core.usecases.resilience.guarded_ports import (
    Guard,
    GuardedAssistant,
    GuardedStt,
    GuardedTts,
    guarded_store,
)
from voice_core.usecases.resilience.retry import RetryBudget
from voice_core.usecases.resilience.retrying_assistant import RetryingAssistant

Store = TypeVar("Store")

CLIPS_SHARE = 4
"""Clips get one in so many of the concurrent recognitions: users who wait for a reply take precedence."""


class Guards:
    """The circuit breakers, bulkheads and retry budget of one process.

    A fallback provider has its own circuit breaker and bulkhead.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stt_bulkhead = self._bulkhead(settings.stt_concurrent)
        self.retries = RetryBudget()
        self.breakers: dict[str, CircuitBreaker] = {}
        """Circuit breakers by the names of `App.dependencies`."""

    def stt(self, stt: SpeechToText, second: SpeechToText | None) -> SpeechToText:
        seconds = self._settings.stt_seconds
        if second is None:
            return GuardedStt(stt, self._guard("stt", seconds, self._stt_bulkhead))
        first = GuardedStt(stt, self._guard("stt", seconds * FIRST_SHARE, self._stt_bulkhead))
        bulkhead = self._bulkhead(self._settings.stt_concurrent)
        return FallbackStt(first, GuardedStt(second, self._second("stt", seconds, bulkhead)), seconds)

    def clip_stt(self, stt: SpeechToText) -> SpeechToText:
        settings = self._settings
        bulkhead = self._stt_bulkhead.share(max(1, settings.stt_concurrent // CLIPS_SHARE))
        return GuardedStt(stt, self._guard("stt", settings.clip_stt_seconds, bulkhead))

    def assistant(self, assistant: Assistant, second: Assistant | None) -> Assistant:
        seconds = self._settings.assistant_seconds
        if second is None:
            return RetryingAssistant(GuardedAssistant(assistant, self._guard("assistant", seconds)), self.retries)
        first = GuardedAssistant(assistant, self._guard("assistant", seconds * FIRST_SHARE))
        return FallbackAssistant(first, GuardedAssistant(second, self._second("assistant", seconds)), seconds)

    def tts(self, tts: TextToSpeech, second: TextToSpeech | None) -> TextToSpeech:
        seconds, bulkhead = self._settings.tts_seconds, self._bulkhead(self._settings.tts_concurrent)
        if second is None:
            return GuardedTts(tts, self._guard("tts", seconds, bulkhead))
        first = GuardedTts(tts, self._guard("tts", seconds * FIRST_SHARE, bulkhead))
        bulkhead = self._bulkhead(self._settings.tts_concurrent)
        return FallbackTts(first, GuardedTts(second, self._second("tts", seconds, bulkhead)), seconds)

    def store(self, store: Store, stage: str, timeout_seconds: float) -> Store:
        """*store*, a port that has only coroutines, behind a guard; its callers give up after *timeout_seconds*."""
        return guarded_store(store, self._guard(stage, timeout_seconds))

    def storage(self, store: Store) -> Store:
        """The same for a store whose calls have no deadline of their own: here they get one."""
        seconds = self._settings.storage_seconds
        return guarded_store(store, self._guard("storage", seconds), seconds)

    def _guard(self, stage: str, timeout_seconds: float, bulkhead: Bulkhead | None = None) -> Guard:
        return Guard(stage, self._breaker(stage), timeout_seconds=timeout_seconds, bulkhead=bulkhead)

    def _second(self, stage: str, timeout_seconds: float, bulkhead: Bulkhead | None = None) -> Guard:
        return Guard(stage, self._breaker(f"{stage}-fallback"), timeout_seconds=timeout_seconds, bulkhead=bulkhead)

    def _breaker(self, name: str) -> CircuitBreaker:
        settings = self._settings
        if name not in self.breakers:
            self.breakers[name] = CircuitBreaker(
                name, failures=settings.breaker_failures, seconds=settings.breaker_seconds
            )
        return self.breakers[name]

    def _bulkhead(self, most: int) -> Bulkhead:
        return Bulkhead(most, self._settings.provider_wait_seconds)
