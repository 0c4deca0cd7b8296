"""The watchers that receive telemetry."""

from typing import TYPE_CHECKING

from voice_core import telemetry
from voice_core.settings import Settings
from voice_core.telemetry.deferred_watcher import DeferredWatcher
from voice_core.telemetry.recent import RecentTurns

if TYPE_CHECKING:
    from voice_core.adapters.open_telemetry.watcher import OpenTelemetryWatcher


class TelemetryWatchers:
    """Registers the watchers that the settings name, until it is closed; by default there are none."""

    def __init__(self, settings: Settings) -> None:
        self.recent = RecentTurns() if settings.debug_turns and not settings.in_azure else None
        """The last turns, for ``/debug/turns``; None when that is off."""
        self._exporting = DeferredWatcher(lambda: _exporting(settings)) if _collector(settings) else None
        self._watchers: list[telemetry.Watcher] = [
            watcher for watcher in (self.recent, self._exporting) if watcher is not None
        ]
        for watcher in self._watchers:
            telemetry.watch(watcher)

    def close(self) -> None:
        """Send what has not been sent; blocks."""
        while self._watchers:
            telemetry.unwatch(self._watchers.pop())
        if self._exporting is not None:
            self._exporting.close()


def _collector(settings: Settings) -> str:
    """The destination of telemetry; empty: none."""
    return settings.applicationinsights_connection_string or settings.otel_exporter_otlp_endpoint


def _exporting(settings: Settings) -> "OpenTelemetryWatcher":
    from voice_core.adapters.open_telemetry.exporters import to_azure_monitor, to_otlp
    from voice_core.adapters.open_telemetry.sampling import Sampling
    from voice_core.adapters.open_telemetry.watcher import OpenTelemetryWatcher

    service = settings.website_site_name or "voice"
    connection_string = settings.applicationinsights_connection_string
    providers = to_azure_monitor(service, connection_string) if connection_string else to_otlp(service)
    sampling = Sampling(settings.otel_traces_sampler_arg, settings.slow_turn_seconds)
    return OpenTelemetryWatcher(providers, sampling, salt=settings.user_salt)
