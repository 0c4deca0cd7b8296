"""The JSON documents of a turn's events, as in the published contract."""

from typing import Annotated, Literal

from pydantic import Field

from voice_core.functions.http.response_model import Problem, ResponseModel
from voice_core.functions.turn.schemas import AudioFormat, TurnAnswer


class TurnCreatedEvent(ResponseModel):
    type: Literal["turn.created"]
    turn_id: str
    conversation_id: str
    speech_url: str | None = Field(default=None, description="The URL of the speech file, valid from now on.")


class TranscriptDeltaEvent(ResponseModel):
    """An interim transcript: it replaces the one before."""

    type: Literal["transcript.text.delta"]
    text: str


class TranscriptDoneEvent(ResponseModel):
    type: Literal["transcript.text.done"]
    text: str
    language: str
    confidence: float | None = None
    duration_ms: int


class ReplyDeltaEvent(ResponseModel):
    type: Literal["reply.text.delta"]
    text: str


class ReplyDoneEvent(ResponseModel):
    type: Literal["reply.text.done"]
    text: str


class ReplyRestartedEvent(ResponseModel):
    """The reply begins again with other words. Discard the words and the speech that were received before."""

    type: Literal["reply.restarted"]


class SpeechDeltaEvent(ResponseModel):
    type: Literal["speech.audio.delta"]
    audio: str = Field(description="In base64; append it to the audio of the events before.")
    seq: int
    sentence: str | None = Field(None, description="The sentence whose speech begins here; on its first event only.")


class SpeechDoneEvent(ResponseModel):
    type: Literal["speech.audio.done"]
    duration_ms: int
    format: AudioFormat


class TurnDoneEvent(TurnAnswer):
    type: Literal["turn.done"]


class ErrorEvent(Problem):
    """Problem details (RFC 9457) under the event's own ``type``; the document's type is in ``problemType``."""

    type: Literal["error"]
    problem_type: str


AnyEvent = Annotated[
    TurnCreatedEvent
    | TranscriptDeltaEvent
    | TranscriptDoneEvent
    | ReplyDeltaEvent
    | ReplyDoneEvent
    | ReplyRestartedEvent
    | SpeechDeltaEvent
    | SpeechDoneEvent
    | TurnDoneEvent
    | ErrorEvent,
    Field(discriminator="type"),
]
