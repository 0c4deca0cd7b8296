"""What an operation of the contract is made of."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from voice_core.functions.http import PROBLEM, TITLES
from voice_core.functions.schemas import Problem

Json = dict[str, Any]
REFERENCE = "#/components/schemas/{model}"
BINARY: Json = {"schema": {"type": "string", "format": "binary"}}


def operation(
    summary: str,
    body: Json | None,
    answer: Json | None,
    problems: Sequence[int],
    taking: Sequence[Json] = (),
    also: Json | None = None,
) -> Json:
    """What is sent (*body* and the parameters it is *taking*), the *answer*, and the *problems* by their statuses."""
    right: Json = {"200": {"description": "Done", "content": answer}} if answer else {"204": {"description": "Done"}}
    wrong = {
        str(status): {"description": TITLES[status], "content": {PROBLEM: schema_of(Problem)}}
        for status in (*problems, 500)
    }
    operation: Json = {"summary": summary, "parameters": list(taking), "responses": right | wrong | (also or {})}
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def schema_of(model: type[BaseModel]) -> Json:
    """A reference to it."""
    return {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}


def json_of(model: type[BaseModel]) -> Json:
    """A body of it."""
    return {"application/json": schema_of(model)}


def events() -> Json:
    """A body of a turn's events."""
    event = {"schema": {"$ref": REFERENCE.format(model="Event")}}
    described = {"description": "Each event's data is an Event; the last is turn.done or error."}
    return {"text/event-stream": event | described, "application/x-ndjson": event | described}


def parameters(model: type[BaseModel], place: str, without: Sequence[str] = ()) -> list[Json]:
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
