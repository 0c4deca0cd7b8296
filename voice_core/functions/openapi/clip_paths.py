"""Paths of clips in the contract."""

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
_UNAVAILABLE = (502, 503, 504)


def clip_paths() -> Json:
    clip, part = parameters(schemas.ClipPath, "path"), parameters(schemas.ClipPart, "path")
    state = json_of(schemas.ClipAnswer)
    events = server_sent(schemas.ClipAnswer.__name__, "the stream ends with the clip's final state")
    opened = {"description": "Opened; upload the recording as the response describes", "content": state}
    post = operation(
        "Open a clip",
        json_of(schemas.ClipRequest),
        None,
        (400, 404, 409, 413, 415, 422, 429, *_UNAVAILABLE),
        [IDEMPOTENCY],
        also={"202": opened},
    )
    del post["responses"]["204"]
    post["requestBody"]["required"] = False
    unchanged = {"304": {"description": "Unchanged since the version that the client has"}}
    if_none_match: Json = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
    parts = json_of(schemas.ClipTranscript) | dict.fromkeys(("text/plain", "text/vtt"), TEXT)
    return {
        "/clips": {"post": post},
        "/clips/{clipId}": {
            "get": operation(
                "Get a clip's state and progress",
                None,
                state | events,
                (400, 404, 406, *_UNAVAILABLE),
                [*clip, if_none_match],
                also=unchanged,
            ),
            "delete": operation("Cancel a clip, and delete its results", None, None, (400, 404, *_UNAVAILABLE), clip),
        },
        "/clips/{clipId}/{part}": {
            "get": operation("Fetch a transcript or the reply", None, parts, (400, 404, *_UNAVAILABLE), part)
        },
    }
