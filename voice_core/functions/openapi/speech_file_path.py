"""The part of the contract that is about fetching a reply's speech."""

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
    wanted: Json = {"name": "Range", "in": "header", "schema": {"type": "string"}}
    sound = dict.fromkeys(AUDIO_OFFERS, BINARY)
    part = {
        "206": {"description": "A part of it", "content": sound},
        "304": {"description": "As the client knows it"},
        "416": {"description": "The part is beyond its end"},
    }
    get = operation("Fetch a reply's speech", None, sound, (400, 404, 406, 502, 503, 504), [*named, wanted], also=part)
    return {"/conversations/{conversationId}/turns/{turnId}/speech": {"get": get}}
