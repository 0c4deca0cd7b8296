"""Translates our signals into OpenTelemetry's."""

from voice_core.adapters.open_telemetry.events import Events
from voice_core.adapters.open_telemetry.metrics import Metrics
from voice_core.adapters.open_telemetry.providers import Providers
from voice_core.adapters.open_telemetry.sampling import Sampling
from voice_core.adapters.open_telemetry.spans import Spans
from voice_core.telemetry import Call, EventSignal
from voice_core.telemetry.turns import TurnSignal


class OpenTelemetryWatcher:
    """Creates the spans of a turn if *sampling* selects it, and always its event and its metrics.

    *salt* is used for the pseudonyms of users.
    """

    def __init__(self, providers: Providers, sampling: Sampling, *, salt: str) -> None:
        self._providers = providers
        self._spans = Spans(providers.tracer, providers.ids, sampling)
        self._metrics = Metrics(providers.meter)
        self._events = Events(providers.logger, salt)

    def turn(self, turn: TurnSignal) -> None:
        self._spans.turn(turn)
        self._metrics.turn(turn)
        self._events.turn(turn)

    def call(self, call: Call) -> None:
        self._metrics.call(call)

    def event(self, event: EventSignal) -> None:
        self._metrics.event(event)
        self._events.event(event)

    def flush(self) -> None:
        """Export all pending signals; blocks."""
        self._providers.flush()

    def close(self) -> None:
        """Export the pending signals and shut down; blocks."""
        self._providers.close()
