"""A turn's events on the wire."""

from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any, Literal

from pydantic import Field

from voice_core.domain import events
from voice_core.domain.errors import VoiceError
from voice_core.functions.http import compact, problem
from voice_core.functions.schemas import Answered, AudioFormat, Problem, ResponseFormat, TurnAnswer
from voice_core.functions.speech_out import Encoders, described
from voice_core.functions.turn_json import turn_members


class TurnCreatedEvent(Answered):
    type: Literal["turn.created"]
    turn_id: str
    conversation_id: str
    speech_url: str | None = Field(default=None, description="Where the speech can be fetched from now on.")


class TranscriptDeltaEvent(Answered):
    """An interim hypothesis: it replaces the one before."""

    type: Literal["transcript.text.delta"]
    text: str


class TranscriptDoneEvent(Answered):
    type: Literal["transcript.text.done"]
    text: str
    language: str
    confidence: float | None = None
    duration_ms: int


class ReplyDeltaEvent(Answered):
    type: Literal["reply.text.delta"]
    text: str


class ReplyDoneEvent(Answered):
    type: Literal["reply.text.done"]
    text: str


class SpeechDeltaEvent(Answered):
    type: Literal["speech.audio.delta"]
    audio: str = Field(description="In base64; append it to what came before.")
    seq: int
    sentence: str | None = Field(None, description="The words that begin here, on a sentence's first piece.")


class SpeechDoneEvent(Answered):
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
    | SpeechDeltaEvent
    | SpeechDoneEvent
    | TurnDoneEvent
    | ErrorEvent,
    Field(discriminator="type"),
]

TELL_URL = ("turn.created", "turn.done")

Framed = Callable[[int, dict[str, Any]], bytes]


def sse(number: int, document: dict[str, Any]) -> bytes:
    """https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation"""
    return b"event: %s\nid: %d\ndata: %s\n\n" % (document["type"].encode(), number, compact(document))


def ndjson(_number: int, document: dict[str, Any]) -> bytes:
    return compact(document) + b"\n"


async def framed(
    turn: AsyncGenerator[events.Event],
    frame: Framed,
    audio_format: ResponseFormat,
    encoders: Encoders,
    speech_url: str | None = None,
) -> AsyncGenerator[bytes]:
    """The events of *turn*, each in its frame, the speech encoded as *audio_format*.

    Where the speech is kept, the first and the last tell its *speech_url*.
    """
    wire = _Wire(audio_format, encoders)
    number = 0
    async with aclosing(turn):
        async for event in turn:
            for told in wire.documents(event):
                if speech_url and told["type"] in TELL_URL:
                    told["speechUrl"] = speech_url
                yield frame(number, told)
                number += 1


class _Wire:
    """Turns events into JSON documents; the encoder of the speech lives as long as the turn."""

    def __init__(self, audio_format: ResponseFormat, encoders: Encoders) -> None:
        self._format: ResponseFormat = audio_format
        self._encoder = encoders(audio_format)
        self._seq = 0

    def documents(self, event: events.Event) -> list[dict[str, Any]]:
        match event:
            case events.SpeechDelta(pcm, _, sentence):
                return self._speech(self._encoder.feed(pcm), sentence)
            case events.SpeechDone():
                return [*self._speech(self._encoder.finish(), ""), document(event, self._format)]
            case _:
                return [document(event, self._format)]

    def _speech(self, encoded: bytes, sentence: str) -> list[dict[str, Any]]:
        if not encoded:
            return []
        self._seq += 1
        delta = {"type": "speech.audio.delta", "audio": b64encode(encoded).decode(), "seq": self._seq - 1}
        return [delta | ({"sentence": sentence} if sentence else {})]


def document(event: events.Event, audio_format: ResponseFormat) -> dict[str, Any]:
    """*event* as JSON types; speech itself is not for this."""
    match event:
        case events.TurnCreated(turn_id, conversation_id):
            return TurnCreatedEvent(type="turn.created", turn_id=turn_id, conversation_id=conversation_id).document()
        case events.TranscriptDelta(text) | events.ReplyDelta(text) | events.ReplyDone(text):
            return {"type": event.type, "text": text}
        case events.TranscriptDone(heard):
            return TranscriptDoneEvent(
                type="transcript.text.done",
                text=heard.text,
                language=heard.language,
                confidence=heard.confidence,
                duration_ms=heard.duration_ms,
            ).document()
        case events.SpeechDone(duration_ms):
            done = SpeechDoneEvent(type="speech.audio.done", duration_ms=duration_ms, format=described(audio_format))
            return done.document()
        case events.TurnDone(turn):
            return TurnDoneEvent(type="turn.done", **turn_members(turn)).document()
        case events.TurnFailed(error):
            return error_document(error)
        case _:
            raise TypeError(event)


def error_document(error: VoiceError) -> dict[str, Any]:
    """*error* as an event."""
    told = problem(error)
    return told | {"type": "error", "problemType": told["type"]}
