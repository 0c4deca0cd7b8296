"""What stands between the product and its providers."""

from typing import TypeVar

from voice_core.ports.providers import Assistant, SpeechToText, TextToSpeech
from voice_core.settings import Settings
from voice_core.usecases.resilience.bulkhead import Bulkhead
from voice_core.usecases.resilience.circuit_breaker import CircuitBreaker
from voice_core.usecases.resilience.fallback import (
    FIRST_SHARE,
    FallbackAssistant,
    FallbackStt,
    FallbackTts,
    PersistentAssistant,
)
from voice_core.usecases.resilience.guarded import (
    Guard,
    GuardedAssistant,
    GuardedStt,
    GuardedTts,
    guarded_store,
)
from voice_core.usecases.resilience.retry import RetryBudget

Store = TypeVar("Store")

CLIPS_SHARE = 4
"""Of the recognitions at once, clips have one in so many: whoever holds the button goes first."""


class Guards:
    """The breakers, gates and retries of one process. A second provider has a breaker and a gate of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stt_gate = self._gate(settings.stt_concurrent)
        self.retries = RetryBudget()
        self.breakers: dict[str, CircuitBreaker] = {}
        """By the names of `App.dependencies`."""

    def stt(self, stt: SpeechToText, second: SpeechToText | None) -> SpeechToText:
        seconds = self._settings.stt_seconds
        if second is None:
            return GuardedStt(stt, self._guard("stt", seconds, self._stt_gate))
        first = GuardedStt(stt, self._guard("stt", seconds * FIRST_SHARE, self._stt_gate))
        bulkhead = self._gate(self._settings.stt_concurrent)
        return FallbackStt(first, GuardedStt(second, self._second("stt", seconds, bulkhead)), seconds)

    def clip_stt(self, stt: SpeechToText) -> SpeechToText:
        settings = self._settings
        bulkhead = self._stt_gate.part(max(1, settings.stt_concurrent // CLIPS_SHARE))
        return GuardedStt(stt, self._guard("stt", settings.clip_stt_seconds, bulkhead))

    def assistant(self, assistant: Assistant, second: Assistant | None) -> Assistant:
        seconds = self._settings.assistant_seconds
        if second is None:
            return PersistentAssistant(GuardedAssistant(assistant, self._guard("assistant", seconds)), self.retries)
        first = GuardedAssistant(assistant, self._guard("assistant", seconds * FIRST_SHARE))
        return FallbackAssistant(first, GuardedAssistant(second, self._second("assistant", seconds)), seconds)

    def tts(self, tts: TextToSpeech, second: TextToSpeech | None) -> TextToSpeech:
        seconds, bulkhead = self._settings.tts_seconds, self._gate(self._settings.tts_concurrent)
        if second is None:
            return GuardedTts(tts, self._guard("tts", seconds, bulkhead))
        first = GuardedTts(tts, self._guard("tts", seconds * FIRST_SHARE, bulkhead))
        bulkhead = self._gate(self._settings.tts_concurrent)
        return FallbackTts(first, GuardedTts(second, self._second("tts", seconds, bulkhead)), seconds)

    def store(self, store: Store, stage: str, patience_seconds: float) -> Store:
        """A port that has nothing but coroutines; whoever waits for it gives up after *patience_seconds*."""
        return guarded_store(store, self._guard(stage, patience_seconds))

    def storage(self, store: Store) -> Store:
        """Likewise, for one whose calls nobody else ends."""
        seconds = self._settings.storage_seconds
        return guarded_store(store, self._guard("storage", seconds), seconds)

    def _guard(self, stage: str, patience_seconds: float, bulkhead: Bulkhead | None = None) -> Guard:
        return Guard(stage, self._breaker(stage), patience_seconds=patience_seconds, bulkhead=bulkhead)

    def _second(self, stage: str, patience_seconds: float, bulkhead: Bulkhead | None = None) -> Guard:
        return Guard(stage, self._breaker(f"{stage}-fallback"), patience_seconds=patience_seconds, bulkhead=bulkhead)

    def _breaker(self, name: str) -> CircuitBreaker:
        settings = self._settings
        if name not in self.breakers:
            self.breakers[name] = CircuitBreaker(
                name, failures=settings.breaker_failures, seconds=settings.breaker_seconds
            )
        return self.breakers[name]

    def _gate(self, most: int) -> Bulkhead:
        return Bulkhead(most, self._settings.provider_wait_seconds)
