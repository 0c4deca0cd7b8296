"""The record of a turn in progress: its transcript, reply, delivered part, lacking parts and times."""

from datetime import UTC, datetime
from time import monotonic
from typing import Any, TypeVar

from voice_core import telemetry
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import VoiceError
from voice_core.domain.events import Event, ReplyDelta, SpeechDelta, SpeechDone, TranscriptDone
from voice_core.domain.speech import Transcript
from voice_core.telemetry.turns import Stage, TurnSignal
from voice_core.usecases.turn.played_words import PlayedWords
from voice_core.usecases.turn.request import TurnRequest

AnyEvent = TypeVar("AnyEvent", bound=Event)

STAGES = {"stt": ("ended", "heard"), "assistant": ("heard", "sentence"), "tts": ("sentence", "speech")}
"""The marks at which each stage begins and ends."""


class TurnRecord:
    """The state of a turn that has not ended."""

    def __init__(self, request: TurnRequest) -> None:
        self._request = request
        self.transcript: Transcript | None = None
        self.reply = ""
        self._delivered = ""
        self._played = PlayedWords()
        self.reached = False
        """Whether any result has been delivered to the caller."""
        self._degraded: list[str] = list(request.degraded)
        self._speech_bytes = 0
        self._context = telemetry.begin_turn()
        self._marks: dict[str, float] = {}
        self.mark("began")
        if not request.spoken:
            self.transcript = Transcript(request.text, "".join(request.hints.languages[:1]))
            self.mark("ended")
            self.mark("heard")

    @property
    def words(self) -> str:
        """The user's input: the transcript, or the typed text."""
        return self.transcript.text if self.transcript else ""

    @property
    def delivered(self) -> str:
        """The part of the reply that has been delivered; with a listener, the part that has been played."""
        listener = self._request.listener
        return self._delivered if listener is None else self._played.until(listener.heard_seconds)

    def mark(self, moment: str, when: float | None = None) -> None:
        """Note the first time of *moment*: began, ended, heard, sentence, speech or done.

        *when* is in seconds of the monotonic clock; now if it is None.
        """
        self._marks.setdefault(moment, monotonic() if when is None else when)

    def degrade(self, part: str, cause: BaseException) -> None:
        """Note that the turn goes on without *part*, ``speech`` or ``conversation``, because of *cause*."""
        if part not in self._degraded:
            self._degraded.append(part)
        telemetry.event("degraded", {"turn": self._request.turn_id, "part": part, **telemetry.reason(cause)})

    def add(self, event: AnyEvent) -> AnyEvent:
        """Add *event*, which is about to be delivered, and return it."""
        match event:
            case TranscriptDone(transcript):
                self.transcript = transcript
                self.mark("heard")
            case ReplyDelta(text):
                self.reply += text
            case SpeechDelta(pcm, _, sentence):
                self.mark("speech")
                self._speech_bytes += len(pcm)
                self._played.add(sentence, len(pcm))
            case SpeechDone():
                self._played.finish()
            case _:
                pass
        return event

    def add_delivered(self, event: Event) -> None:
        """Note that *event* has been delivered to the caller."""
        match event, self._request.delivery:
            case (TranscriptDone(), "events" | "played") | (ReplyDelta(), "played"):
                self.reached = True
            case ReplyDelta(text), "events":
                self.reached = True
                self._delivered += text
            case SpeechDelta(sentence=sentence), "speech":
                self.reached = True
                self._delivered = f"{self._delivered} {sentence}".strip()
            case _:
                pass

    def turn(self, *, reply: str | None = None, interrupted: bool = False) -> Turn:
        """The turn as it is stored; *reply* replaces the reply when only a part of it was delivered."""
        return Turn(
            id=self._request.turn_id,
            conversation_id=self._request.conversation_id,
            transcript=self.words,
            reply=self.reply if reply is None else reply.strip(),
            created_at=datetime.now(UTC),
            spoken=self._request.spoken,
            language=self.transcript.language if self.transcript else "",
            interrupted=interrupted,
            degraded=tuple(self._degraded),
            timings=self.timings(),
            confidence=self.transcript.confidence if self.transcript else None,
            utterance_ms=self.transcript.duration_ms if self.transcript else 0,
        )

    def timings(self) -> dict[str, int]:
        """Milliseconds. stt, assistant and tts follow one another and add up to firstAudio; total is all of the turn.

        ``stt`` runs from the end of the utterance to its transcript, ``assistant`` on to the first sentence, ``tts`` on
        to the first speech.
        """
        marks = self._marks
        spans = {stage.name: stage.seconds for stage in self._stages()}
        if "ended" in marks and "speech" in marks:
            spans["firstAudio"] = marks["speech"] - marks["ended"]
        if "ended" in marks:
            spans["total"] = self._latest - marks["ended"]
        return {name: round(seconds * 1000) for name, seconds in spans.items()}

    @property
    def _latest(self) -> float:
        """The time of the mark ``done``, so that all reports of the turn agree; before it, the current time."""
        return self._marks.get("done", monotonic())

    def _stages(self) -> list[Stage]:
        """The stages that have ended."""
        marks = self._marks
        return [
            Stage(stage, marks[begin], marks[end])
            for stage, (begin, end) in STAGES.items()
            if begin in marks and end in marks
        ]

    def with_result(self, error: VoiceError) -> VoiceError:
        """*error* with the turn's ids and results so far, so that the caller gets what has been paid for."""
        result: dict[str, Any] = {"turnId": self._request.turn_id, "conversationId": self._request.conversation_id}
        if self.transcript is not None:
            result["transcription"] = self.words
        if self.reply:
            result["responseText"] = self.reply
        error.extra = result | error.extra
        return error

    def report(self, outcome: str, error: VoiceError | None = None) -> None:
        """Report how the turn ended: *outcome* is done, failed, refused or left."""
        timings = self.timings()
        facts = {"turn": self._request.turn_id, "outcome": outcome, **timings}
        telemetry.log("turn", facts | (telemetry.reason(error) if error else {}))
        telemetry.report_turn(self._signal(outcome, error, timings))

    def _signal(self, outcome: str, error: VoiceError | None, timings: dict[str, int]) -> TurnSignal:
        request, transcript = self._request, self.transcript
        return TurnSignal(
            turn_id=request.turn_id,
            user_id=request.user_id,
            span=self._context.span,
            outcome=outcome,
            code=error.code if error else "",
            failed_stage=(error.stage or "") if error else "",
            degraded=tuple(self._degraded),
            delivery=request.delivery,
            spoken=request.spoken,
            transcript_characters=len(self.words),
            heard_seconds=transcript.duration_ms / 1000 if transcript else 0.0,
            speech_bytes=self._speech_bytes,
            began=self._marks["began"],
            ended=self._latest,
            timings=timings,
            stages=self._stages(),
            calls=tuple(self._context.calls),
        )
