"""Building blocks of the contract's operations."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from voice_core.functions.http.idempotency import HEADER, LONGEST_KEY
from voice_core.functions.http.problems import PROBLEM
from voice_core.functions.http.response_model import Problem
from voice_core.functions.http.titles import PHRASES

Json = dict[str, Any]
REFERENCE = "#/components/schemas/{model}"
BINARY: Json = {"schema": {"type": "string", "format": "binary", "minLength": 1}}
BEARER = "bearerAuth"
EVERY_CALLER = (401, 429, 503)
"""Statuses of the problems of authentication and of the rate limits, which every authenticated request has."""

IDEMPOTENCY: Json = {
    "name": HEADER,
    "in": "header",
    "description": "A request that is sent again with the same key gets the same response: nothing is done twice.",
    "schema": {"type": "string", "pattern": f"^[!-~]{{1,{LONGEST_KEY}}}$"},
}

LAST_EVENT_ID: Json = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id of the last server-sent event that was received of the turn: only what follows is sent.",
    "schema": {"type": "string", "maxLength": 64},
}


def operation(
    summary: str,
    body: Json | None,
    response: Json | None,
    problems: Sequence[int],
    parameters: Sequence[Json] = (),
    also: Json | None = None,
    *,
    public: bool = False,
) -> Json:
    """An operation with its request *body* and *parameters*, its *response* and the statuses of its *problems*.

    Args:
        response: content of the response with status 200; None for 204.
        also: further responses by status.
        public: whether it is served without authentication.
    """
    right: Json = {"204": {"description": "Done"}}
    if response:
        right = {"200": {"description": "Done", "content": response}}
    wrong = {
        str(status): {"description": PHRASES[status], "content": {PROBLEM: schema_of(Problem)}}
        for status in sorted({*problems, *(() if public else EVERY_CALLER), *((408,) if body else ()), 500})
    }
    operation: Json = {"summary": summary, "parameters": list(parameters), "responses": right | wrong | (also or {})}
    if public:
        operation["security"] = []
    else:
        wrong["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string", "pattern": "^Bearer"}}}
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def schema_of(model: type[BaseModel]) -> Json:
    """A media type's content with a reference to the schema of *model*."""
    return {"schema": named(model.__name__)}


def json_of(model: type[BaseModel]) -> Json:
    """A JSON body that is a *model*."""
    return {"application/json": schema_of(model)}


def events() -> Json:
    """A body of a turn's events, server-sent or as newline-delimited JSON."""
    lines: Json = {"description": "Each line is an Event; the last is turn.done or error.", **named("Event")}
    return server_sent("Event", "the last is turn.done or error") | {"application/x-ndjson": {"schema": lines}}


def server_sent(model: str, order: str) -> Json:
    """A stream of server-sent events, each with a *model* as its data; *order* describes the first or last of them."""
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": named(model)}
    event = {
        "type": "object",
        "description": f"One of the stream's events; {order}.",
        "required": ["data"],
        "properties": {"event": {"type": "string"}, "id": {"type": "string"}, "data": data},
    }
    return {"text/event-stream": {"schema": event}}


def named(model: str) -> Json:
    """A reference to the schema with the name *model*."""
    return {"$ref": REFERENCE.format(model=model)}


def parameters(model: type[BaseModel], place: str, without: Sequence[str] = ()) -> list[Json]:
    """The fields of *model* as parameters in *place* (``path`` or ``query``), but for those in *without*."""
    schema = model.model_json_schema(ref_template=REFERENCE)
    return [
        {"name": name, "in": place, "required": place == "path" or name in schema.get("required", ())}
        | {"schema": as_text(field)}
        | ({"description": field["description"]} if "description" in field else {})
        for name, field in schema["properties"].items()
        if name not in without
    ]


def as_text(field: Json) -> Json:
    """The schema of a *field* in a URL or a form, where an omitted field is absent, not null."""
    schema = {key: value for key, value in field.items() if key not in ("title", "description", "anyOf")}
    if schema.get("default", "") is None:
        del schema["default"]
    choices = [choice for choice in field.get("anyOf", ()) if choice != {"type": "null"}]
    return schema | (choices[0] if choices else {})
