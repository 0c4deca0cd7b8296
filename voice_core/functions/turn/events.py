"""A turn's events on the wire."""

from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from voice_core.domain import events
from voice_core.domain.errors import VoiceError
from voice_core.functions.http.problems import problem
from voice_core.functions.turn.schemas import ResponseFormat, TurnAnswer
from voice_core.functions.turn.speech_encoding import Encoders, described
from voice_core.functions.turn.turn_json import turn_members

TELL_URL = ("turn.created", "turn.done")

Framed = Callable[[int, dict[str, Any]], bytes]


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
    """*event* as JSON types, as in `event_schemas`; speech itself is not for this."""
    match event:
        case events.TurnCreated(turn_id, conversation_id):
            return {"type": event.type, "turnId": turn_id, "conversationId": conversation_id}
        case events.TranscriptDelta(text) | events.ReplyDelta(text) | events.ReplyDone(text):
            return {"type": event.type, "text": text}
        case events.TranscriptDone(heard):
            told = {"type": event.type, "text": heard.text, "language": heard.language, "durationMs": heard.duration_ms}
            return told if heard.confidence is None else told | {"confidence": heard.confidence}
        case events.SpeechDone(duration_ms):
            return {"type": event.type, "durationMs": duration_ms, "format": described(audio_format).document()}
        case events.TurnDone(turn):
            return {"type": event.type} | TurnAnswer(**turn_members(turn)).document()
        case events.TurnFailed(error):
            return error_document(error)
        case _:
            raise TypeError(event)


def error_document(error: VoiceError) -> dict[str, Any]:
    """*error* as an event."""
    told = problem(error)
    return told | {"type": "error", "problemType": told["type"]}
