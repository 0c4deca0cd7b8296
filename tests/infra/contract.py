"""The requests that the contract allows, as a firewall sees them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from voice_core.functions.openapi.document import contract

JSON, FORM = "application/json", "multipart/form-data"
ATTACK = "1=1--'"
"""A text that managed rules take for SQL. A value whose schema accepts it counts as freely chosen by callers."""


@dataclass(frozen=True, slots=True)
class Request:
    """One way to send one operation, with the names of all values that callers choose freely."""

    method: str
    path: str
    content_type: str
    """Empty without a body; may be a range such as ``audio/*``."""
    members: frozenset[str] = frozenset()
    """Members of the body, if it is JSON or a form."""
    parameters: frozenset[str] = frozenset()
    headers: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    """Parameters in the path."""


@cache
def requests() -> tuple[Request, ...]:
    """Every operation, once for each content type that it takes."""
    document = contract()
    return tuple(
        request
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for request in _requests(document, method.upper(), path, operation)
    )


def _requests(document: Any, method: str, path: str, operation: Any) -> Iterator[Request]:
    places: dict[str, set[str]] = {"query": set(), "header": set(), "path": set()}
    for parameter in operation.get("parameters", ()):
        if _is_free(document, parameter["schema"]):
            places[parameter["in"]].add(parameter["name"])
    if operation.get("security", document["security"]):
        places["header"].add("Authorization")
    named = (frozenset(places["query"]), frozenset(places["header"]), frozenset(places["path"]))
    bodies = operation.get("requestBody", {}).get("content", {"": {"schema": {}}})
    for content_type, body in bodies.items():
        members = _members(document, body["schema"]) if content_type in (JSON, FORM) else ()
        yield Request(method, path, content_type, frozenset(members), *named)


def _members(document: Any, schema: Any) -> Iterator[str]:
    """The names of freely chosen values in an object, nested objects included."""
    for part in _parts(document, schema):
        for name, member in part.get("properties", {}).items():
            inner = set(_members(document, member))
            yield from inner
            if not inner and _is_free(document, member):
                yield name


def _is_free(document: Any, schema: Any) -> bool:
    for part in _parts(document, schema):
        if part.get("type") == "array" and _is_free(document, part["items"]):
            return True
        if part.get("type") == "string" and not {"enum", "const"} & set(part) and part.get("format") != "binary":
            return re.search(part.get("pattern", ""), ATTACK) is not None
    return False


def _parts(document: Any, schema: Any) -> Iterator[Any]:
    """A schema, the schemas that it refers to, and its alternatives."""
    yield schema
    if "$ref" in schema:
        yield from _parts(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for one in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from _parts(document, one)
