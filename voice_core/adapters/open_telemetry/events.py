"""The events that Application Insights keeps one by one: every turn, session and clip, whatever is sampled."""

from collections.abc import Callable, Mapping
from hashlib import blake2b

from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.trace import TraceFlags

from voice_core.telemetry import Fact, Signal, Span
from voice_core.telemetry.turns import TurnSignal

EVENT_NAME = "microsoft.custom_event.name"
"""https://learn.microsoft.com/azure/azure-monitor/app/opentelemetry-add-modify#send-custom-events"""

USER = "enduser.pseudo.id"
PSEUDONYM_BYTES = 16

VOICE_PROCESSING = "VoiceProcessing"
STAGES = {"SttMs": "stt", "AssistantMs": "assistant", "TtsMs": "tts", "FirstAudioMs": "firstAudio"}
"""Those of the timings that go with it."""

BROKEN = ("never-connected", "peer-lost", "failed", "stopped")
"""Reasons for the end of a session that did not go as somebody wished."""


class Events:
    """Writes them; of users it tells pseudonyms, made with *salt*."""

    def __init__(self, logger: Logger, salt: str) -> None:
        self._logger = logger
        self._key = blake2b(salt.encode()).digest()

    def turn(self, turn: TurnSignal) -> None:
        """The plan's event, for every turn: ``Outcome`` tells how it ended."""
        self._emit(VOICE_PROCESSING, processing(turn), turn.user_id, turn.span, turn.wall_ns(turn.ended))

    def event(self, event: Signal) -> None:
        if told := EVENTS.get(event.name):
            name, facts = told
            self._emit(name, facts(event.facts), event.user_id, event.trace, event.at_ns)

    def _emit(self, name: str, facts: Mapping[str, Fact], user_id: str, span: Span | None, at_ns: int) -> None:
        who = {USER: self.pseudonym(user_id)} if user_id else {}
        self._logger.emit(
            LogRecord(
                timestamp=at_ns,
                trace_id=int(span.trace_id, 16) if span else 0,
                span_id=int(span.span_id, 16) if span else 0,
                trace_flags=TraceFlags(TraceFlags.SAMPLED),
                severity_number=SeverityNumber.INFO,
                body=name,
                attributes={EVENT_NAME: name, **who, **facts},
            )
        )

    def pseudonym(self, user_id: str) -> str:
        """The id's keyed BLAKE2b: the same for the same user and salt, and for nobody to turn back."""
        # Of the hashes that there are this one holds the interpreter's lock, which sending would make us wait for.
        return blake2b(user_id.encode(), key=self._key, digest_size=PSEUDONYM_BYTES).hexdigest()


def processing(turn: TurnSignal) -> dict[str, Fact]:
    """What `VOICE_PROCESSING` tells; the first three are the plan's.

    ``AudioSizeBytes`` is of the reply's speech, ``ProcessingTimeMs`` runs from the end of the utterance.
    """
    whole = round((turn.ended - turn.began) * 1000)
    facts: dict[str, Fact] = {
        "TranscriptionLength": turn.transcript_characters,
        "AudioSizeBytes": turn.speech_bytes,
        "ProcessingTimeMs": turn.timings.get("total", whole),
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
"""What we call them, what Application Insights does, and which facts it is told: no others leave this process."""
