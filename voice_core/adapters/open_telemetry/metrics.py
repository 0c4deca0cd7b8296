"""The metrics: histograms, counters, and the events that they count."""

from collections.abc import Mapping

from opentelemetry.metrics import Counter, Histogram, Meter, UpDownCounter

from voice_core.domain.audio import SPEECH_RATE, seconds
from voice_core.telemetry import Call, EventSignal, Fact
from voice_core.telemetry.turns import TurnSignal

SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 20.0, 60.0)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536)
"""Bucket boundaries of histograms; those of tokens are a shortened list from the conventions for generative AI."""

REQUESTS = "http.server.request.duration"

MEASURED: Mapping[str, tuple[str, str]] = {
    "voice.turn.duration": ("s", "From the beginning of a turn to its end"),
    "voice.turn.first_audio": ("s", "From the end of the utterance to the first sound of the reply"),
    "voice.stage.duration": ("s", "Duration of stt, assistant and tts, as in Server-Timing"),
    "gen_ai.client.operation.duration": ("s", "From a request to the assistant to its last token"),
    "gen_ai.client.token.usage": ("{token}", "Tokens of a request to the assistant"),
    REQUESTS: ("s", "From a request to the head of its response"),
    "db.client.operation.duration": ("s", "Duration of reading or appending to a conversation"),
}
"""Histograms: their units and descriptions."""

COUNTED: Mapping[str, tuple[str, str]] = {
    "voice.audio": ("s", "Speech, received and synthesised"),
    "voice.tokens.cached": ("{token}", "Prompt tokens that the assistant had in its cache"),
    "voice.turns.degraded": ("{turn}", "Turns that continued without a part"),
    "voice.limits.hit": ("{request}", "Requests beyond a user's limits"),
    "voice.providers.throttled": ("{request}", "Requests that a provider throttled, or that we did not send"),
    "voice.breakers.opened": ("{breaker}", "Circuit breakers opened for a provider"),
    "voice.requests.refused": ("{request}", "Requests that ended in an error response"),
    "voice.sessions.started": ("{session}", "WebRTC sessions started"),
    "voice.sessions.ended": ("{session}", "WebRTC sessions ended"),
    "voice.clips": ("{clip}", "Attempts to process clips"),
    "voice.events": ("{event}", "Other events, by name"),
}
"""Counters: their units and descriptions."""

ACTIVE = "voice.sessions.active"

EVENTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "degraded": ("voice.turns.degraded", {"part": "voice.part"}),
    "limited": ("voice.limits.hit", {"limit": "voice.limit"}),
    "provider-throttled": ("voice.providers.throttled", {"provider": "voice.provider"}),
    "provider-busy": ("voice.providers.throttled", {"stage": "voice.provider"}),
    "breaker-open": ("voice.breakers.opened", {"provider": "voice.provider"}),
    "refused": ("voice.requests.refused", {"code": "error.type", "stage": "voice.stage"}),
    "session-started": ("voice.sessions.started", {}),
    "session": ("voice.sessions.ended", {"reason": "voice.reason"}),
    "clip": ("voice.clips", {"outcome": "voice.outcome"}),
}
"""Counter of each event, and its facts that become attributes, renamed. Other events count in ``voice.events``."""


class Metrics:
    """Records signals with OpenTelemetry's instruments."""

    def __init__(self, meter: Meter) -> None:
        self._measured: dict[str, Histogram] = {
            name: meter.create_histogram(
                name, unit, what, explicit_bucket_boundaries_advisory=TOKENS if unit == "{token}" else SECONDS
            )
            for name, (unit, what) in MEASURED.items()
        }
        self._counted: dict[str, Counter] = {
            name: meter.create_counter(name, unit, what) for name, (unit, what) in COUNTED.items()
        }
        self._active: UpDownCounter = meter.create_up_down_counter(ACTIVE, "{session}", "WebRTC sessions in progress")

    def turn(self, turn: TurnSignal) -> None:
        attributes: dict[str, Fact] = {"voice.delivery": turn.delivery, "voice.outcome": turn.outcome}
        self._measured["voice.turn.duration"].record(turn.ended - turn.began, attributes)
        if (first := turn.timings.get("firstAudio")) is not None:
            self._measured["voice.turn.first_audio"].record(first / 1000, {"voice.delivery": turn.delivery})
        for stage in turn.stages:
            self._measured["voice.stage.duration"].record(stage.seconds, {"voice.stage": stage.name})
        self._counted["voice.audio"].add(turn.heard_seconds, {"voice.direction": "heard"})
        self._counted["voice.audio"].add(seconds(turn.speech_bytes, SPEECH_RATE), {"voice.direction": "spoken"})

    def call(self, call: Call) -> None:
        failed: dict[str, Fact] = {"error.type": call.error} if call.error else {}
        if call.name == "serve":
            self._measured[REQUESTS].record(call.seconds, call.facts)
        elif call.name == "chat":
            self._chat(call, failed)
        elif call.name in ("recall", "append"):
            attributes = {**call.facts, "db.operation.name": call.name, **failed}
            self._measured["db.client.operation.duration"].record(call.seconds, attributes)

    def event(self, event: EventSignal) -> None:
        counter, renamed = EVENTS.get(event.name, ("voice.events", {}))
        facts: dict[str, Fact] = {} if event.name in EVENTS else {"voice.event": event.name}
        facts |= {ours: str(event.facts[name]) for name, ours in renamed.items() if name in event.facts}
        self._counted[counter].add(1, facts)
        if event.name in ("session-started", "session"):
            self._active.add(1 if event.name == "session-started" else -1)

    def _chat(self, call: Call, failed: Mapping[str, Fact]) -> None:
        attributes = {name: fact for name, fact in call.facts.items() if name in CHAT}
        self._measured["gen_ai.client.operation.duration"].record(call.seconds, {**attributes, **failed})
        for kind, fact in USAGE.items():
            if tokens := call.facts.get(fact):
                usage = {**attributes, "gen_ai.token.type": kind}
                self._measured["gen_ai.client.token.usage"].record(int(tokens), usage)
        if cached := call.facts.get(CACHED):
            self._counted["voice.tokens.cached"].add(int(cached))


CHAT = ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model")
USAGE = {"input": "gen_ai.usage.input_tokens", "output": "gen_ai.usage.output_tokens"}
CACHED = "gen_ai.usage.cache_read.input_tokens"
"""https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/"""
