"""What an operation of the contract is made of."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from voice_core.functions.http.idempotency import HEADER, LONGEST_KEY
from voice_core.functions.http.problems import PROBLEM, TITLES
from voice_core.functions.http.response_model import Problem

Json = dict[str, Any]
REFERENCE = "#/components/schemas/{model}"
BINARY: Json = {"schema": {"type": "string", "format": "binary", "minLength": 1}}
BEARER = "bearerAuth"
IDENTITY = (401, 503)
"""The problems of finding out who is calling."""

IDEMPOTENCY: Json = {
    "name": HEADER,
    "in": "header",
    "description": "Send the request again under the same key, and it is answered as it was: nothing is done twice.",
    "schema": {"type": "string", "pattern": f"^[!-~]{{1,{LONGEST_KEY}}}$"},
}


def operation(
    summary: str,
    body: Json | None,
    answer: Json | None,
    problems: Sequence[int],
    taking: Sequence[Json] = (),
    also: Json | None = None,
    *,
    public: bool = False,
) -> Json:
    """What is sent (*body* and the parameters it is *taking*), the *answer*, and the *problems* by their statuses.

    A *public* one asks nobody who they are.
    """
    right: Json = {"200": {"description": "Done", "content": answer}} if answer else {"204": {"description": "Done"}}
    wrong = {
        str(status): {"description": TITLES[status], "content": {PROBLEM: schema_of(Problem)}}
        for status in sorted({*problems, *(() if public else IDENTITY), *((408,) if body else ()), 500})
    }
    operation: Json = {"summary": summary, "parameters": list(taking), "responses": right | wrong | (also or {})}
    if public:
        operation["security"] = []
    else:
        wrong["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string", "pattern": "^Bearer"}}}
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def schema_of(model: type[BaseModel]) -> Json:
    """A reference to it."""
    return {"schema": named(model.__name__)}


def json_of(model: type[BaseModel]) -> Json:
    """A body of it."""
    return {"application/json": schema_of(model)}


def events() -> Json:
    """A body of a turn's events."""
    lines: Json = {"description": "Each line is an Event; the last is turn.done or error.", **named("Event")}
    return server_sent("Event", "the last is turn.done or error") | {"application/x-ndjson": {"schema": lines}}


def server_sent(model: str, told: str) -> Json:
    """A stream of server-sent events, whose data are each a *model*."""
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": named(model)}
    event = {
        "type": "object",
        "description": f"One of the stream's events; {told}.",
        "required": ["data"],
        "properties": {"event": {"type": "string"}, "id": {"type": "string"}, "data": data},
    }
    return {"text/event-stream": {"schema": event}}


def named(model: str) -> Json:
    """A reference to the schema of that name."""
    return {"$ref": REFERENCE.format(model=model)}


def parameters(model: type[BaseModel], place: str, without: Sequence[str] = ()) -> list[Json]:
    """The fields of *model* as parameters."""
    schema = model.model_json_schema(ref_template=REFERENCE)
    return [
        {"name": name, "in": place, "required": place == "path" or name in schema.get("required", ())}
        | {"schema": as_text(field)}
        | ({"description": field["description"]} if "description" in field else {})
        for name, field in schema["properties"].items()
        if name not in without
    ]


def as_text(field: Json) -> Json:
    """The schema of a *field* in a URL or a form, where what is left out is not null."""
    told = {key: value for key, value in field.items() if key not in ("title", "description", "anyOf")}
    if told.get("default", "") is None:
        del told["default"]
    given = [choice for choice in field.get("anyOf", ()) if choice != {"type": "null"}]
    return told | (given[0] if given else {})
