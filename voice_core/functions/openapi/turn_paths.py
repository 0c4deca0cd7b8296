"""Paths of turns, transcription and synthesis in the contract."""

from pydantic import BaseModel

from voice_core.functions.openapi.operations import (
    BINARY,
    IDEMPOTENCY,
    LAST_EVENT_ID,
    REFERENCE,
    Json,
    as_text,
    events,
    json_of,
    named,
    operation,
    parameters,
)
from voice_core.functions.turn import schemas
from voice_core.functions.turn.speech_encoding import AUDIO_OFFERS

RECORDINGS = ("audio/*", "video/*", "application/octet-stream")
WORDS = ("audioData", "text")
"""Members that are read from a body only."""


def turn_paths() -> Json:
    return {
        "/process": {
            "post": operation(
                "Take one turn",
                _spoken(schemas.ProcessRequest, "audioData", "text"),
                json_of(schemas.ProcessAnswer) | events() | dict.fromkeys(AUDIO_OFFERS, BINARY),
                (400, 404, 406, 409, 413, 415, 422, 429, 502, 503, 504),
                [IDEMPOTENCY, LAST_EVENT_ID, *parameters(schemas.ProcessRequest, "query", without=WORDS)],
            )
        },
        "/conversations/{conversationId}/turns/{turnId}": {
            "get": operation(
                "Fetch a turn",
                None,
                json_of(schemas.FetchedTurn) | events(),
                (400, 404, 406, 502, 503, 504),
                [
                    *parameters(schemas.SpeechPath, "path"),
                    LAST_EVENT_ID,
                    *parameters(schemas.TurnQuery, "query"),
                ],
            )
        },
        "/transcribe": {
            "post": operation(
                "Transcribe an utterance",
                _spoken(schemas.TranscribeRequest, "audioData"),
                json_of(schemas.TranscribeAnswer),
                (400, 406, 413, 415, 422, 429, 502, 503, 504),
                parameters(schemas.TranscribeRequest, "query", without=WORDS),
            )
        },
        "/speak": {
            "post": operation(
                "Synthesise the speech of a text",
                json_of(schemas.SpeakRequest),
                dict.fromkeys(AUDIO_OFFERS, BINARY) | json_of(schemas.SpeakAnswer),
                (400, 406, 413, 415, 429, 502, 503, 504),
            )
        },
    }


def _spoken(model: type[BaseModel], *utterances: str) -> Json:
    """The request bodies: JSON, a form, or the recording alone. Exactly one of the *utterances* is required."""
    fields = model.model_json_schema(ref_template=REFERENCE)["properties"]
    form = {
        "type": "object",
        "properties": {name: as_text(field) for name, field in fields.items()} | {"audio": BINARY["schema"]},
        "oneOf": [{"required": ["audio"]}, *map(_given, utterances)],
    }
    document = {**named(model.__name__), "oneOf": [_given(name) for name in utterances]}
    return {
        "application/json": {"schema": document},
        "multipart/form-data": {"schema": form},
        **dict.fromkeys(RECORDINGS, BINARY),
    }


def _given(name: str) -> Json:
    return {"required": [name], "properties": {name: {"type": "string", "minLength": 1}}}
