"""Partial document update: the six operations of Cosmos's PATCH, all or none of which are applied.

https://learn.microsoft.com/cosmos-db/partial-document-update
"""

import copy
from collections.abc import Callable
from typing import Any

from emulators.cosmos.refusals import Refusal

MAX_OPERATIONS = 10
"""Operations in a request; the service's limit."""

Document = dict[str, Any]


def patched(document: Document, operations: Any, frozen: frozenset[str]) -> Document:
    """A copy of *document* with *operations* applied in order.

    Args:
        frozen: top-level properties that must not change, such as ``id`` and the partition key's.

    Raises:
        Refusal: 400, the operations cannot be applied.
    """
    if not isinstance(operations, list) or not 1 <= len(operations) <= MAX_OPERATIONS:
        raise Refusal(400, f"A patch holds 1 to {MAX_OPERATIONS} operations.")
    result = copy.deepcopy(document)
    for operation in operations:
        _apply(result, operation, frozen)
    return result


def _apply(document: Document, operation: Any, frozen: frozenset[str]) -> None:
    if not isinstance(operation, dict) or operation.get("op") not in _OPERATIONS:
        raise Refusal(400, f"Not a patch operation: {operation!r}.")
    for path in _paths(operation):
        if path[0] in frozen or path[0].startswith("_"):
            raise Refusal(400, f"The property '{path[0]}' cannot be patched.")
    _OPERATIONS[operation["op"]](document, operation)


def _paths(operation: Document) -> list[list[str]]:
    names = ("from", "path") if operation["op"] == "move" else ("path",)
    return [_parts(operation.get(name)) for name in names]


def _parts(path: Any) -> list[str]:
    if not isinstance(path, str) or not path.startswith("/") or path == "/":
        raise Refusal(400, f"Not a path: {path!r}.")
    return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]


def _parent(document: Document, path: str) -> tuple[Any, Any]:
    """The object or array that holds the target of *path*, and the target's key or index in it."""
    node: Any = document
    *parents, last = _parts(path)
    for part in parents:
        key = _key(node, part)
        if not _holds(node, key):
            raise Refusal(400, f"'{path}': there is no '{part}'.")
        node = node[key]
    return node, _key(node, last)


def _key(node: Any, part: str) -> str | int:
    if isinstance(node, dict):
        return part
    if isinstance(node, list):
        if part == "-":
            return len(node)
        if part.isdecimal() and int(part) <= len(node):
            return int(part)
    raise Refusal(400, f"'{part}' does not lead into an object or an array.")


def _holds(node: Any, key: Any) -> bool:
    return key in node if isinstance(node, dict) else key < len(node)


def _value(operation: Document) -> Any:
    if "value" not in operation:
        raise Refusal(400, f"'{operation['op']}' needs a value.")
    return copy.deepcopy(operation["value"])


def _place(node: Any, key: Any, value: Any, *, insert: bool) -> None:
    if isinstance(node, list) and (insert or key == len(node)):
        node.insert(key, value)
    else:
        node[key] = value


def _add(document: Document, operation: Document) -> None:
    _place(*_parent(document, operation["path"]), _value(operation), insert=True)


def _set(document: Document, operation: Document) -> None:
    _place(*_parent(document, operation["path"]), _value(operation), insert=False)


def _existing(document: Document, path: str) -> tuple[Any, Any]:
    node, key = _parent(document, path)
    if not _holds(node, key):
        raise Refusal(400, f"'{path}' does not exist.")
    return node, key


def _replace(document: Document, operation: Document) -> None:
    node, key = _existing(document, operation["path"])
    node[key] = _value(operation)


def _remove(document: Document, operation: Document) -> None:
    node, key = _existing(document, operation["path"])
    del node[key]


def _incr(document: Document, operation: Document) -> None:
    node, key = _parent(document, operation["path"])
    by, old = _value(operation), node[key] if _holds(node, key) else 0
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in (by, old)):
        raise Refusal(400, f"'{operation['path']}': only numbers can be incremented, and by numbers.")
    _place(node, key, old + by, insert=False)


def _move(document: Document, operation: Document) -> None:
    node, key = _existing(document, operation["from"])
    value = node[key]
    del node[key]
    _place(*_parent(document, operation["path"]), value, insert=True)


_OPERATIONS: dict[str, Callable[[Document, Document], None]] = {
    "add": _add,
    "set": _set,
    "replace": _replace,
    "remove": _remove,
    "incr": _incr,
    "move": _move,
}
