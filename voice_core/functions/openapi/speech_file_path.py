"""The path of a reply's speech file in the contract."""

from voice_core.functions.openapi.operations import (
    BINARY,
    Json,
    operation,
    parameters,
)
from voice_core.functions.turn.schemas import SpeechPath, SpeechQuery
from voice_core.functions.turn.speech_encoding import AUDIO_OFFERS


def speech_path() -> Json:
    named = [*parameters(SpeechPath, "path"), *parameters(SpeechQuery, "query")]
    byte_range: Json = {"name": "Range", "in": "header", "schema": {"type": "string"}}
    sound = dict.fromkeys(AUDIO_OFFERS, BINARY)
    part = {
        "206": {"description": "The requested range of bytes", "content": sound},
        "304": {"description": "Unchanged since the version that the client has"},
        "416": {"description": "The range begins beyond the end"},
    }
    problems = (400, 404, 406, 502, 503, 504)
    get = operation("Fetch a reply's speech", None, sound, problems, [*named, byte_range], also=part)
    return {"/conversations/{conversationId}/turns/{turnId}/speech": {"get": get}}
