"""The places of the contract where a request names a resource, which may belong to another user."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from voice_core.functions.openapi.document import contract

NAMES = ("continuation", "Idempotency-Key", "If-None-Match")
"""Members and headers that name a resource though their own names do not end in ``Id``."""


@dataclass(frozen=True)
class Case:
    """One route with ids in its path."""

    method: str
    path: str
    ids: tuple[str, ...]
    """Names of the ids in the path."""
    chosen: tuple[tuple[str, str], ...]
    """The other parameters in the path, each with one of its values."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation in the contract, and HEAD for every GET."""
    for path, methods in contract()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation
            if method == "get":
                yield "head", path, operation


def cases() -> Iterator[Case]:
    """Each route with ids in its path, once for each combination of its other path parameters."""
    for method, path, operation in operations():
        named = parameters(operation, "path")
        ids = tuple(name for name in named if name.endswith("Id"))
        choices = {name: schema["enum"] for name, schema in named.items() if name not in ids}
        if ids:
            for values in product(*choices.values()):
                yield Case(method, path, ids, tuple(zip(choices, values, strict=True)))


def request_names() -> set[tuple[str, str, str]]:
    """Method, path and name of every resource name outside the path: in query, headers and body."""
    return {
        (method, path, name)
        for method, path, operation in operations()
        for name in {*parameters(operation, "query"), *parameters(operation, "header"), *members(operation)}
        if method != "head" and (name.endswith("Id") or name in NAMES)
    }


def parameters(operation: dict[str, Any], place: str) -> dict[str, Any]:
    """Schemas by name of the parameters that are in *place*."""
    return {one["name"]: one["schema"] for one in operation.get("parameters", ()) if one["in"] == place}


def members(operation: dict[str, Any]) -> set[str]:
    """Names of all members of the JSON body, nested ones included."""
    found: set[str] = set()
    waiting: list[Any] = [operation.get("requestBody", {}).get("content", {}).get("application/json", {})]
    while waiting:
        schema = waiting.pop()
        if isinstance(schema, list):
            waiting += schema
        elif isinstance(schema, dict):
            found |= set(schema.get("properties", {}))
            waiting += schema.values()
            if reference := schema.get("$ref"):
                waiting.append(contract()["components"]["schemas"][reference.rpartition("/")[2]])
    return found
