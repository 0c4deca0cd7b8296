"""The contract, made of the models that validate it."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from voice_core.functions.clip import schemas as clip_schemas
from voice_core.functions.openapi.annotations import annotated
from voice_core.functions.openapi.clip_paths import clip_paths, speech_path
from voice_core.functions.openapi.operations import BEARER, REFERENCE, Json, json_of, operation, parameters
from voice_core.functions.openapi.session_paths import session_event, session_paths
from voice_core.functions.openapi.turn_paths import turn_paths
from voice_core.functions.session import schemas as session_schemas
from voice_core.functions.session.data_channel import ClosedEvent, StateEvent
from voice_core.functions.turn import schemas
from voice_core.functions.turn.event_schemas import AnyEvent

SIGN_IN: Json = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A token of the issuer that the deployment believes; a local run asks for none.",
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
    StateEvent,
    ClosedEvent,
    clip_schemas.ClipRequest,
    clip_schemas.ClipAnswer,
    clip_schemas.ClipTranscript,
    schemas.VoicesAnswer,
    schemas.ConversationsAnswer,
    schemas.TurnsAnswer,
    schemas.HealthAnswer,
    schemas.Problem,
)
TEXTS = (("ProcessRequest", "text"), ("SpeakRequest", "text"), ("SessionRequest", "query"))
"""Members whose length a setting limits."""


@cache
def contract(longest_text: int = 4_000) -> Json:
    """OpenAPI 3.1 of everything under /api/voice, where a text may have *longest_text* characters."""
    _, models = models_json_schema([(model, "validation") for model in MODELS], ref_template=REFERENCE)
    event = TypeAdapter[Any](AnyEvent).json_schema(ref_template=REFERENCE)
    components = models["$defs"] | event.pop("$defs") | {"Event": event, "SessionEvent": session_event()}
    for model, member in TEXTS:
        components[model]["properties"][member]["maxLength"] = longest_text
    return {
        "openapi": "3.1.0",
        "info": {"title": "Voice backend", "version": "1", "description": "Push to talk: voice in, voice out."},
        "servers": [{"url": "/api/voice"}],
        "paths": annotated(_paths()),
        "security": [{BEARER: []}],
        "components": {"schemas": components, "securitySchemes": {BEARER: SIGN_IN}},
    }


def _paths() -> Json:
    return {
        **turn_paths(),
        **session_paths(),
        **clip_paths(),
        **_conversation_paths(),
        **speech_path(),
        **_service_paths(),
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
                public=True,
            )
        },
    }
