"""A turn while it happens: what has been said, delivered and lost so far, and when."""

from datetime import UTC, datetime
from time import monotonic
from typing import Any, TypeVar

from voice_core import telemetry
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import VoiceError
from voice_core.domain.events import Event, ReplyDelta, SpeechDelta, SpeechDone, TranscriptDone
from voice_core.domain.speech import Transcript
from voice_core.usecases.recital import Recital
from voice_core.usecases.said import Said

Made = TypeVar("Made", bound=Event)


class Draft:
    """What is known of a turn that has not ended."""

    def __init__(self, said: Said) -> None:
        self._said = said
        self.transcript: Transcript | None = None
        self.reply = ""
        self._delivered = ""
        self._recital = Recital()
        self.reached = False
        """Whether the caller has any result at all."""
        self._degraded: list[str] = []
        self._marks: dict[str, float] = {}
        if said.utterance is None:
            self.transcript = Transcript(said.text, "".join(said.hints.languages[:1]))
            self.mark("ended")
            self.mark("heard")

    @property
    def words(self) -> str:
        """What the user said or typed."""
        return self.transcript.text if self.transcript else ""

    @property
    def delivered(self) -> str:
        """As much of the reply as the caller has."""
        listener = self._said.listener
        return self._delivered if listener is None else self._recital.heard(listener.heard_seconds)

    def mark(self, moment: str, when: float | None = None) -> None:
        """Note when *moment* came first: ended, heard, sentence, speech. Seconds of the monotonic clock."""
        self._marks.setdefault(moment, monotonic() if when is None else when)

    def degrade(self, part: str, cause: BaseException) -> None:
        """Note that the turn goes on without *part*: speech or conversation."""
        if part not in self._degraded:
            self._degraded.append(part)
        telemetry.event("degraded", {"turn": self._said.turn_id, "part": part, **telemetry.reason(cause)})

    def note(self, event: Made) -> Made:
        """Take note of *event*, which is about to be delivered."""
        match event:
            case TranscriptDone(transcript):
                self.transcript = transcript
                self.mark("heard")
            case ReplyDelta(text):
                self.reply += text
            case SpeechDelta(pcm, _, sentence):
                self.mark("speech")
                self._recital.add(sentence, len(pcm))
            case SpeechDone():
                self._recital.finish()
            case _:
                pass
        return event

    def took(self, event: Event) -> None:
        """Take note that the caller has *event*."""
        match event, self._said.delivery:
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
        """The turn as it is remembered; *reply* when not all of it counts."""
        return Turn(
            id=self._said.turn_id,
            conversation_id=self._said.conversation_id,
            transcript=self.words,
            reply=(self.reply if reply is None else reply).strip(),
            created_at=datetime.now(UTC),
            spoken=self._said.utterance is not None,
            language=self.transcript.language if self.transcript else "",
            interrupted=interrupted,
            degraded=tuple(self._degraded),
            timings=self.timings(),
        )

    def timings(self) -> dict[str, int]:
        """Milliseconds. stt, assistant and tts follow one another and add up to firstAudio; total is the whole turn.

        ``stt`` runs from the end of the utterance to its transcript, ``assistant`` on to the first sentence, ``tts`` on
        to the first speech.
        """
        spans = {}
        for stage, begin, end in (
            ("stt", "ended", "heard"),
            ("assistant", "heard", "sentence"),
            ("tts", "sentence", "speech"),
            ("firstAudio", "ended", "speech"),
        ):
            if begin in self._marks and end in self._marks:
                spans[stage] = round((self._marks[end] - self._marks[begin]) * 1000)
        if "ended" in self._marks:
            spans["total"] = round((monotonic() - self._marks["ended"]) * 1000)
        return spans

    def told(self, error: VoiceError) -> VoiceError:
        """*error* with what had been done before it, so that nothing paid for is lost."""
        done: dict[str, Any] = {"turnId": self._said.turn_id, "conversationId": self._said.conversation_id}
        if self.transcript is not None:
            done["transcription"] = self.words
        if self.reply:
            done["responseText"] = self.reply
        error.extra = done | error.extra
        return error

    def report(self, outcome: str, error: VoiceError | None = None) -> None:
        """Log how the turn ended: done, failed or left."""
        facts = {"turn": self._said.turn_id, "outcome": outcome, **self.timings()}
        telemetry.event("turn", facts | (telemetry.reason(error) if error else {}))
