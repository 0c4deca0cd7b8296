"""Custom events of Application Insights: one for every turn, session and clip, independent of sampling."""

from collections.abc import Callable, Mapping
from hashlib import blake2b

from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.trace import TraceFlags

from voice_core.telemetry import EventSignal, Fact, Span
from voice_core.telemetry.turns import TurnSignal

EVENT_NAME = "microsoft.custom_event.name"
"""https://learn.microsoft.com/azure/azure-monitor/app/opentelemetry-add-modify#send-custom-events"""

USER = "enduser.pseudo.id"
PSEUDONYM_BYTES = 16

VOICE_PROCESSING = "VoiceProcessing"
STAGES = {"SttMs": "stt", "AssistantMs": "assistant", "TtsMs": "tts", "FirstAudioMs": "firstAudio"}
"""Attributes of `VOICE_PROCESSING`, and the turn's timings in them."""

BROKEN = ("never-connected", "peer-lost", "failed", "stopped")
"""End reasons of sessions that did not complete as the user intended."""


class Events:
    """Emits custom events. Users appear as pseudonyms, made with *salt*."""

    def __init__(self, logger: Logger, salt: str) -> None:
        self._logger = logger
        self._key = blake2b(salt.encode()).digest()

    def turn(self, turn: TurnSignal) -> None:
        """Emit `VOICE_PROCESSING`, for every turn; ``Outcome`` says how it ended."""
        self._emit(VOICE_PROCESSING, processing(turn), turn.user_id, turn.span, turn.wall_ns(turn.ended))

    def event(self, event: EventSignal) -> None:
        if translation := EVENTS.get(event.name):
            name, facts = translation
            self._emit(name, facts(event.facts), event.user_id, event.trace, event.at_ns)

    def _emit(self, name: str, facts: Mapping[str, Fact], user_id: str, span: Span | None, at_ns: int) -> None:
        user = {USER: self.pseudonym(user_id)} if user_id else {}
        self._logger.emit(
            LogRecord(
                timestamp=at_ns,
                trace_id=int(span.trace_id, 16) if span else 0,
                span_id=int(span.span_id, 16) if span else 0,
                trace_flags=TraceFlags(TraceFlags.SAMPLED),
                severity_number=SeverityNumber.INFO,
                body=name,
                attributes={EVENT_NAME: name, **user, **facts},
            )
        )

    def pseudonym(self, user_id: str) -> str:
        """Keyed BLAKE2b of the id: the same for the same user and salt, and not reversible."""
        # BLAKE2b does not release the interpreter's lock, unlike the other hashes. A thread that exports signals would
        # take the lock, and this one would wait for it.
        return blake2b(user_id.encode(), key=self._key, digest_size=PSEUDONYM_BYTES).hexdigest()


def processing(turn: TurnSignal) -> dict[str, Fact]:
    """Attributes of `VOICE_PROCESSING`; the first three are required by the product's plan.

    ``AudioSizeBytes`` is the size of the reply's speech; ``ProcessingTimeMs`` runs from the end of the utterance.
    """
    duration_ms = round((turn.ended - turn.began) * 1000)
    facts: dict[str, Fact] = {
        "TranscriptionLength": turn.transcript_characters,
        "AudioSizeBytes": turn.speech_bytes,
        "ProcessingTimeMs": turn.timings.get("total", duration_ms),
        "TurnId": turn.turn_id,
        "Outcome": turn.outcome,
        "ErrorCode": turn.code,
        "Stage": turn.failed_stage,
        "Degraded": " ".join(turn.degraded),
        "Delivery": turn.delivery,
        "Spoken": turn.spoken,
        "HeardMs": round(turn.heard_seconds * 1000),
    }
    return facts | {name: turn.timings[stage] for name, stage in STAGES.items() if stage in turn.timings}


def _session_started(_facts: Mapping[str, object]) -> dict[str, Fact]:
    return {}


def _session_ended(facts: Mapping[str, object]) -> dict[str, Fact]:
    reason = str(facts["reason"])
    return {"Reason": reason, "Seconds": str(facts["seconds"]), "Completed": reason not in BROKEN}


def _clip(facts: Mapping[str, object]) -> dict[str, Fact]:
    members = {"Outcome": "outcome", "Attempt": "attempt", "ErrorCode": "code", "Stage": "stage"}
    return {name: str(facts[fact]) for name, fact in members.items() if fact in facts}


EVENTS: Mapping[str, tuple[str, Callable[[Mapping[str, object]], dict[str, Fact]]]] = {
    "session-started": ("SessionStarted", _session_started),
    "session": ("SessionCompleted", _session_ended),
    "clip": ("ClipProcessed", _clip),
}
"""Our name of each event, its name in Application Insights, and its attributes; no other facts leave this process."""
