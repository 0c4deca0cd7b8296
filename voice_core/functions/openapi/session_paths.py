"""Paths of sessions in the contract."""

from voice_core.functions.openapi.operations import (
    IDEMPOTENCY,
    Json,
    json_of,
    named,
    operation,
    parameters,
    schema_of,
    server_sent,
)
from voice_core.functions.session import schemas
from voice_core.functions.session.data_channel import ClosedEvent, StateEvent


def session_paths() -> Json:
    return {"/session": _session(), "/session/{sessionId}": _one_session()}


def _session() -> Json:
    offer = {"application/sdp": {"schema": {"type": "string"}}}
    stream = server_sent("SessionEvent", "the first is session.created, the last session.closed")
    opened = {"description": "Opened", "content": json_of(schemas.SessionAnswer) | offer | stream}
    post = operation(
        "Open a WebRTC session, or prepare one",
        json_of(schemas.SessionRequest) | offer,
        json_of(schemas.SessionReadyAnswer),
        (400, 406, 409, 413, 415, 422, 429, 502, 503),
        [IDEMPOTENCY],
        also={"201": opened},
    )
    return {"post": post, "options": operation("Ask which media types can be posted", None, None, (), public=True)}


def _one_session() -> Json:
    path = parameters(schemas.SessionPath, "path")
    match: Json = {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}}
    patch = operation(
        "Add ICE candidates",
        {"application/trickle-ice-sdpfrag": {"schema": {"type": "string"}}},
        None,
        (400, 404, 412, 413, 415, 422, 428, 429),
        [*path, match],
    )
    state = json_of(schemas.SessionStateAnswer)
    return {
        "get": operation("Get a session's state", None, state, (400, 404), path),
        "patch": patch,
        "delete": operation("End a session", None, state, (400, 404), path),
    }


def session_event() -> Json:
    """The schema of an event in the stream of a session, which stays open as long as the session."""
    created = {"required": ["type"], "properties": {"type": {"const": "session.created"}}}
    others = ("Event", StateEvent.__name__, ClosedEvent.__name__)
    return {
        "anyOf": [
            {"allOf": [schema_of(schemas.SessionAnswer)["schema"], created]},
            *(named(name) for name in others),
        ]
    }
