"""A turn's events as JSON documents and as frames of a stream."""

from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from voice_core.domain import events
from voice_core.domain.errors import VoiceError
from voice_core.domain.position import Position
from voice_core.functions.http.problems import problem
from voice_core.functions.turn.schemas import ResponseFormat, TurnAnswer
from voice_core.functions.turn.speech_encoding import Encoders, describe_format
from voice_core.functions.turn.turn_json import turn_members

EVENTS_WITH_URL = ("turn.created", "turn.done")
"""The types of the events that have the URL of the speech file."""

Framed = Callable[[str, dict[str, Any]], bytes]


async def framed(
    turn: AsyncGenerator[events.Event],
    frame: Framed,
    audio_format: ResponseFormat,
    encoders: Encoders,
    speech_url: str | None,
    received: Position,
) -> AsyncGenerator[bytes]:
    """The events of *turn*, each in its frame, the speech encoded as *audio_format*.

    The id of an event is the position after it; *received* is the position before the first one. If the speech is
    stored as a file, the first and the last event have its *speech_url*.
    """
    codec = _EventCodec(audio_format, encoders)
    position = received
    async with aclosing(turn):
        async for event in turn:
            position = position.after(event)
            for event_document in codec.documents(event):
                if speech_url and event_document["type"] in EVENTS_WITH_URL:
                    event_document["speechUrl"] = speech_url
                yield frame(str(position), event_document)


class _EventCodec:
    """Converts the events of one turn to JSON documents, with one encoder for all of its speech."""

    def __init__(self, audio_format: ResponseFormat, encoders: Encoders) -> None:
        self._format: ResponseFormat = audio_format
        self._encoders = encoders
        self._encoder = encoders(audio_format)
        self._seq = 0

    def documents(self, event: events.Event) -> list[dict[str, Any]]:
        match event:
            case events.SpeechDelta(pcm, _, sentence):
                return self._speech(self._encoder.feed(pcm), sentence)
            case events.ReplyRestarted():
                self._encoder = self._encoders(self._format)
                return [document(event, self._format)]
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
    """*event* as a JSON document of `event_schemas`; raises TypeError for SpeechDelta, which needs an encoder."""
    match event:
        case events.TurnCreated(turn_id, conversation_id):
            return {"type": event.type, "turnId": turn_id, "conversationId": conversation_id}
        case events.ReplyRestarted():
            return {"type": event.type}
        case events.TranscriptDelta(text) | events.ReplyDelta(text) | events.ReplyDone(text):
            return {"type": event.type, "text": text}
        case events.TranscriptDone(transcript):
            done = {
                "type": event.type,
                "text": transcript.text,
                "language": transcript.language,
                "durationMs": transcript.duration_ms,
            }
            return done if transcript.confidence is None else done | {"confidence": transcript.confidence}
        case events.SpeechDone(duration_ms):
            return {"type": event.type, "durationMs": duration_ms, "format": describe_format(audio_format).document()}
        case events.TurnDone(turn):
            return {"type": event.type} | TurnAnswer(**turn_members(turn)).document()
        case events.TurnFailed(error):
            return error_document(error)
        case _:
            raise TypeError(event)


def error_document(error: VoiceError) -> dict[str, Any]:
    """*error* as an event: its problem document, with the event's own ``type``."""
    details = problem(error)
    return details | {"type": "error", "problemType": details["type"]}
