"""A turn's events on the wire."""

from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any, Literal

from pydantic import Field

from voice_core.domain import events
from voice_core.functions.http import compact, problem
from voice_core.functions.schemas import Answered, AudioFormat, Problem, ResponseFormat, TurnAnswer
from voice_core.functions.speech_out import Encoders, described
from voice_core.functions.turn_json import turn_members


class TurnCreatedEvent(Answered):
    type: Literal["turn.created"]
    turn_id: str
    conversation_id: str


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

Framed = Callable[[int, dict[str, Any]], bytes]


def sse(number: int, document: dict[str, Any]) -> bytes:
    """https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation"""
    return b"event: %s\nid: %d\ndata: %s\n\n" % (document["type"].encode(), number, compact(document))


def ndjson(_number: int, document: dict[str, Any]) -> bytes:
    return compact(document) + b"\n"


async def framed(
    turn: AsyncGenerator[events.Event], frame: Framed, audio_format: ResponseFormat, encoders: Encoders
) -> AsyncGenerator[bytes]:
    """The events of *turn*, each in its frame, the speech encoded as *audio_format*."""
    wire = _Wire(audio_format, encoders)
    number = 0
    async with aclosing(turn):
        async for event in turn:
            for document in wire.documents(event):
                yield frame(number, document)
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
            case events.SpeechDone(duration_ms):
                done = SpeechDoneEvent(
                    type="speech.audio.done", duration_ms=duration_ms, format=described(self._format)
                )
                return [*self._speech(self._encoder.finish(), ""), done.document()]
            case _:
                return [_document(event)]

    def _speech(self, encoded: bytes, sentence: str) -> list[dict[str, Any]]:
        if not encoded:
            return []
        self._seq += 1
        document = {"type": "speech.audio.delta", "audio": b64encode(encoded).decode(), "seq": self._seq - 1}
        return [document | ({"sentence": sentence} if sentence else {})]


def _document(event: events.Event) -> dict[str, Any]:
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
        case events.TurnDone(turn):
            return TurnDoneEvent(type="turn.done", **turn_members(turn)).document()
        case events.TurnFailed(error):
            document = problem(error)
            return document | {"type": event.type, "problemType": document["type"]}
        case _:
            raise TypeError(event)
