"""/openapi.json: the contract, made of the models that validate it."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import azure.functions as func
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from voice_core.functions import schemas
from voice_core.functions.event_stream import AnyEvent
from voice_core.functions.http import PROBLEM, TITLES, json_response, served
from voice_core.functions.incoming import Incoming
from voice_core.functions.speech_out import AUDIO_OFFERS

blueprint = func.Blueprint()

Json = dict[str, Any]
REFERENCE = "#/components/schemas/{model}"
BINARY: Json = {"schema": {"type": "string", "format": "binary"}}
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
    events = TypeAdapter[Any](AnyEvent).json_schema(ref_template=REFERENCE)
    components = models["$defs"] | events.pop("$defs") | {"Event": events}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Voice backend", "version": "1", "description": "Push to talk: voice in, voice out."},
        "servers": [{"url": "/api/voice"}],
        "paths": _paths(),
        "components": {"schemas": components},
    }


def _paths() -> Json:
    conversation = _parameters(schemas.ConversationPath, "path")
    page = _parameters(schemas.ListQuery, "query")
    return {
        "/process": {
            "post": _operation(
                "Take one turn",
                _spoken(schemas.ProcessRequest),
                _ok(schemas.ProcessAnswer) | _events() | dict.fromkeys(AUDIO_OFFERS, BINARY),
                (400, 404, 406, 409, 413, 415, 422, 502, 503, 504),
                [IDEMPOTENCY, *_parameters(schemas.ProcessRequest, "query", without=("audioData",))],
            )
        },
        "/transcribe": {
            "post": _operation(
                "Hear an utterance",
                _spoken(schemas.TranscribeRequest),
                _ok(schemas.TranscribeAnswer),
                (400, 406, 413, 415, 422, 502, 503, 504),
                _parameters(schemas.TranscribeRequest, "query", without=("audioData",)),
            )
        },
        "/speak": {
            "post": _operation(
                "Speak some words",
                _ok(schemas.SpeakRequest),
                dict.fromkeys(AUDIO_OFFERS, BINARY) | _ok(schemas.SpeakAnswer),
                (400, 406, 413, 502, 503, 504),
            )
        },
        "/voices": {
            "get": _operation(
                "List voices",
                None,
                _ok(schemas.VoicesAnswer),
                (400, 502, 503, 504),
                _parameters(schemas.VoicesQuery, "query"),
            )
        },
        "/conversations": {
            "get": _operation("List conversations", None, _ok(schemas.ConversationsAnswer), (400, 502, 503, 504), page)
        },
        "/conversations/{conversationId}": {
            "get": _operation(
                "Read a conversation", None, _ok(schemas.TurnsAnswer), (400, 404, 502, 503, 504), [*conversation, *page]
            ),
            "delete": _operation("Forget a conversation", None, None, (400, 502, 503, 504), conversation),
        },
        "/health": {
            "get": _operation(
                "Ask whether it works",
                None,
                _ok(schemas.HealthAnswer),
                (400,),
                _parameters(schemas.HealthQuery, "query"),
                also={"503": {"description": "A dependency is away", "content": _ok(schemas.HealthAnswer)}},
            )
        },
    }


def _operation(
    summary: str,
    body: Json | None,
    answer: Json | None,
    problems: Sequence[int],
    parameters: Sequence[Json] = (),
    also: Json | None = None,
) -> Json:
    right: Json = {"200": {"description": "Done", "content": answer}} if answer else {"204": {"description": "Done"}}
    wrong = {
        str(status): {"description": TITLES[status], "content": {PROBLEM: _schema(schemas.Problem)}}
        for status in (*problems, 500)
    }
    operation: Json = {"summary": summary, "parameters": list(parameters), "responses": right | wrong | (also or {})}
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _schema(model: type[BaseModel]) -> Json:
    return {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}


def _ok(model: type[BaseModel]) -> Json:
    return {"application/json": _schema(model)}


def _events() -> Json:
    event = {"schema": {"$ref": REFERENCE.format(model="Event")}}
    described = {"description": "Each event's data is an Event; the last is turn.done or error."}
    return {"text/event-stream": event | described, "application/x-ndjson": event | described}


def _spoken(model: type[BaseModel]) -> Json:
    """The shapes of a recording: in JSON, in a form, or as it is."""
    form = {"allOf": [_schema(model)["schema"]], "properties": {"audio": {"type": "string", "format": "binary"}}}
    return _ok(model) | {"multipart/form-data": {"schema": form}} | dict.fromkeys(RECORDINGS, BINARY)


def _parameters(model: type[BaseModel], place: str, without: Sequence[str] = ()) -> list[Json]:
    """The fields of *model* as parameters."""
    schema = model.model_json_schema(ref_template=REFERENCE)
    return [
        {
            "name": name,
            "in": place,
            "required": place == "path" or name in schema.get("required", ()),
            "schema": {key: value for key, value in field.items() if key not in ("title", "description")},
        }
        | ({"description": field["description"]} if "description" in field else {})
        for name, field in schema["properties"].items()
        if name not in without
    ]
