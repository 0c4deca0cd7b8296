"""The OpenAPI document (the contract), built from the models that validate requests and responses."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from voice_core.functions.clip import schemas as clip_schemas
from voice_core.functions.conversation import schemas as conversation_schemas
from voice_core.functions.http.response_model import Problem
from voice_core.functions.openapi.annotations import annotated
from voice_core.functions.openapi.clip_paths import clip_paths
from voice_core.functions.openapi.conversation_paths import conversation_paths
from voice_core.functions.openapi.operations import BEARER, REFERENCE, Json
from voice_core.functions.openapi.service_paths import service_paths
from voice_core.functions.openapi.session_paths import session_event, session_paths
from voice_core.functions.openapi.speech_file_path import speech_path
from voice_core.functions.openapi.turn_paths import turn_paths
from voice_core.functions.service import schemas as service_schemas
from voice_core.functions.session import schemas as session_schemas
from voice_core.functions.session.data_channel import ClosedEvent, StateEvent
from voice_core.functions.turn import schemas as turn_schemas
from voice_core.functions.turn.event_schemas import AnyEvent

SIGN_IN: Json = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A token of the issuer that the deployment trusts. A local run requires none.",
}
MODELS: Sequence[type[BaseModel]] = (
    turn_schemas.ProcessRequest,
    turn_schemas.ProcessAnswer,
    turn_schemas.FetchedTurn,
    turn_schemas.TranscribeRequest,
    turn_schemas.TranscribeAnswer,
    turn_schemas.SpeakRequest,
    turn_schemas.SpeakAnswer,
    session_schemas.SessionRequest,
    session_schemas.SessionReadyAnswer,
    session_schemas.SessionAnswer,
    session_schemas.SessionStateAnswer,
    StateEvent,
    ClosedEvent,
    clip_schemas.ClipRequest,
    clip_schemas.ClipAnswer,
    clip_schemas.ClipTranscript,
    service_schemas.VoicesAnswer,
    conversation_schemas.ConversationsAnswer,
    conversation_schemas.TurnsAnswer,
    service_schemas.HealthAnswer,
    Problem,
)
TEXTS = (("ProcessRequest", "text"), ("SpeakRequest", "text"), ("SessionRequest", "query"))
"""Members whose maximum length is a setting."""


@cache
def contract(longest_text: int = 4_000) -> Json:
    """The OpenAPI 3.1 document of all paths under /api/voice; a text may have *longest_text* characters."""
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
        **conversation_paths(),
        **speech_path(),
        **service_paths(),
    }
