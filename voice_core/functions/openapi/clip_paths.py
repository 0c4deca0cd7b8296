"""The part of the contract that is about clips and kept speech."""

from voice_core.functions.clip import schemas
from voice_core.functions.openapi.operations import (
    IDEMPOTENCY,
    Json,
    json_of,
    operation,
    parameters,
    server_sent,
)

TEXT: Json = {"schema": {"type": "string"}}
_AWAY = (502, 503, 504)


def clip_paths() -> Json:
    clip, part = parameters(schemas.ClipPath, "path"), parameters(schemas.ClipPart, "path")
    answer = json_of(schemas.ClipAnswer)
    events = server_sent(schemas.ClipAnswer.__name__, "the stream ends when the clip does")
    opened = {"description": "Upload the recording as it says", "content": answer}
    post = operation(
        "Open a clip",
        json_of(schemas.ClipRequest),
        None,
        (400, 404, 409, 413, 422, 429, *_AWAY),
        [IDEMPOTENCY],
        also={"202": opened},
    )
    del post["responses"]["204"]
    post["requestBody"]["required"] = False
    unchanged = {"304": {"description": "As the client knows it"}}
    known: Json = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
    parts = json_of(schemas.ClipTranscript) | dict.fromkeys(("text/plain", "text/vtt"), TEXT)
    return {
        "/clips": {"post": post},
        "/clips/{clipId}": {
            "get": operation(
                "Ask how far a clip is", None, answer | events, (400, 404, 406, *_AWAY), [*clip, known], also=unchanged
            ),
            "delete": operation("Cancel a clip, and remove what was made of it", None, None, (400, 404, *_AWAY), clip),
        },
        "/clips/{clipId}/{part}": {
            "get": operation("Fetch a transcript or the reply", None, parts, (400, 404, *_AWAY), part)
        },
    }
