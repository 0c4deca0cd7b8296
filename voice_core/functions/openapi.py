"""/openapi.json: the contract, made of the models that validate it."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import azure.functions as func
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from voice_core.functions import clip_schemas, schemas, session_schemas
from voice_core.functions.clip_contract import clip_paths, speech_path
from voice_core.functions.event_stream import AnyEvent
from voice_core.functions.http import json_response, served
from voice_core.functions.incoming import Incoming
from voice_core.functions.operations import BINARY, REFERENCE, Json, events, json_of, operation, parameters, schema_of
from voice_core.functions.speech_out import AUDIO_OFFERS

blueprint = func.Blueprint()

RECORDINGS = ("audio/*", "video/*", "application/octet-stream")
IDEMPOTENCY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key names the same turn: it is stored once.",
    "schema": {"type": "string", "maxLength": 200},
}
MODELS: Sequence[type[BaseModel]] = (
    schemas.ProcessRequest,
    schemas.ProcessAnswer,
    schemas.TranscribeRequest,
    schemas.TranscribeAnswer,
    schemas.SpeakRequest,
    schemas.SpeakAnswer,
    session_schemas.SessionRequest,
    session_schemas.SessionReadyAnswer,
    session_schemas.SessionAnswer,
    session_schemas.SessionStateAnswer,
    clip_schemas.ClipRequest,
    clip_schemas.ClipAnswer,
    schemas.VoicesAnswer,
    schemas.ConversationsAnswer,
    schemas.TurnsAnswer,
    schemas.HealthAnswer,
    schemas.Problem,
)


@blueprint.route("voice/openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@served
async def get_openapi(_incoming: Incoming) -> Response:
    """The contract."""
    return json_response(contract())


@cache
def contract() -> Json:
    """OpenAPI 3.1 of everything under /api/voice."""
    _, models = models_json_schema([(model, "validation") for model in MODELS], ref_template=REFERENCE)
    event = TypeAdapter[Any](AnyEvent).json_schema(ref_template=REFERENCE)
    components = models["$defs"] | event.pop("$defs") | {"Event": event}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Voice backend", "version": "1", "description": "Push to talk: voice in, voice out."},
        "servers": [{"url": "/api/voice"}],
        "paths": _paths(),
        "components": {"schemas": components},
    }


def _paths() -> Json:
    return {
        **_turn_paths(),
        "/session": _session(),
        "/session/{sessionId}": _one_session(),
        **clip_paths(),
        **_conversation_paths(),
        **speech_path(),
        **_service_paths(),
    }


def _turn_paths() -> Json:
    return {
        "/process": {
            "post": operation(
                "Take one turn",
                _spoken(schemas.ProcessRequest),
                json_of(schemas.ProcessAnswer) | events() | dict.fromkeys(AUDIO_OFFERS, BINARY),
                (400, 404, 406, 409, 413, 415, 422, 502, 503, 504),
                [IDEMPOTENCY, *parameters(schemas.ProcessRequest, "query", without=("audioData",))],
            )
        },
        "/transcribe": {
            "post": operation(
                "Hear an utterance",
                _spoken(schemas.TranscribeRequest),
                json_of(schemas.TranscribeAnswer),
                (400, 406, 413, 415, 422, 502, 503, 504),
                parameters(schemas.TranscribeRequest, "query", without=("audioData",)),
            )
        },
        "/speak": {
            "post": operation(
                "Speak some words",
                json_of(schemas.SpeakRequest),
                dict.fromkeys(AUDIO_OFFERS, BINARY) | json_of(schemas.SpeakAnswer),
                (400, 406, 413, 502, 503, 504),
            )
        },
    }


def _conversation_paths() -> Json:
    conversation = parameters(schemas.ConversationPath, "path")
    page = parameters(schemas.ListQuery, "query")
    return {
        "/conversations": {
            "get": operation(
                "List conversations", None, json_of(schemas.ConversationsAnswer), (400, 502, 503, 504), page
            )
        },
        "/conversations/{conversationId}": {
            "get": operation(
                "Read a conversation",
                None,
                json_of(schemas.TurnsAnswer),
                (400, 404, 502, 503, 504),
                [*conversation, *page],
            ),
            "delete": operation("Forget a conversation", None, None, (400, 502, 503, 504), conversation),
        },
    }


def _service_paths() -> Json:
    return {
        "/voices": {
            "get": operation(
                "List voices",
                None,
                json_of(schemas.VoicesAnswer),
                (400, 502, 503, 504),
                parameters(schemas.VoicesQuery, "query"),
            )
        },
        "/health": {
            "get": operation(
                "Ask whether it works",
                None,
                json_of(schemas.HealthAnswer),
                (400,),
                parameters(schemas.HealthQuery, "query"),
                also={"503": {"description": "A dependency is away", "content": json_of(schemas.HealthAnswer)}},
            )
        },
    }


def _session() -> Json:
    offer = {"application/sdp": {"schema": {"type": "string"}}}
    opened = {"description": "Opened", "content": json_of(session_schemas.SessionAnswer) | offer | events()}
    post = operation(
        "Open a WebRTC session, or prepare one",
        json_of(session_schemas.SessionRequest) | offer,
        json_of(session_schemas.SessionReadyAnswer),
        (400, 406, 413, 415, 502, 503),
        also={"201": opened},
    )
    return {"post": post, "options": operation("Ask what may be posted", None, None, ())}


def _one_session() -> Json:
    named = parameters(session_schemas.SessionPath, "path")
    match: Json = {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}}
    patch = operation(
        "Add ICE candidates",
        {"application/trickle-ice-sdpfrag": {"schema": {"type": "string"}}},
        None,
        (400, 404, 412, 413, 415, 422, 428),
        [*named, match],
    )
    answer = json_of(session_schemas.SessionStateAnswer)
    return {
        "get": operation("Ask how a session is", None, answer, (400, 404), named),
        "patch": patch,
        "delete": operation("End a session", None, answer, (400, 404), named),
    }


def _spoken(model: type[BaseModel]) -> Json:
    """The shapes of a recording: in JSON, in a form, or as it is."""
    form = {"allOf": [schema_of(model)["schema"]], "properties": {"audio": {"type": "string", "format": "binary"}}}
    return json_of(model) | {"multipart/form-data": {"schema": form}} | dict.fromkeys(RECORDINGS, BINARY)
