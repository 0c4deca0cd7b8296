"""A page of a query's results, and the continuation token for the next page.

A token holds the last row's sort position, not a count: rows that are inserted or deleted between pages neither repeat
other rows nor hide them.
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from emulators.cosmos.conditions import Document
from emulators.cosmos.query import Query
from emulators.cosmos.refusals import Refusal
from emulators.cosmos.values import UNDEFINED, sort_key

DEFAULT_ITEMS = 100
"""Page size when the request does not give one."""

INVALID_TOKEN = "The continuation token is not valid for this query."  # noqa: S105


@total_ordering
class _Down:
    """A sort key for descending order."""

    def __init__(self, key: list[Any]) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Down) and self.key == other.key

    def __lt__(self, other: "_Down") -> bool:
        return other.key < self.key


@dataclass(frozen=True, slots=True)
class _Mark:
    """The position after the pages so far; a token's content."""

    keys: list[list[Any]]
    """Sort keys of the last row, one for each ORDER BY path."""
    number: int
    """Creation number of the last row, which breaks ties."""
    given: int
    """Rows in all pages so far."""


def page(
    query: Query, rows: Iterable[tuple[int, Document]], size: int, token: str | None
) -> tuple[list[Any], str | None]:
    """At most *size* results of *query* over numbered documents, and the token for the next page, None at the end.

    Raises:
        Refusal: 400, *token* is not a token of this query.
    """
    found = [(_keys(query, document), number, document) for number, document in rows if query.where(document) is True]
    if query.count:
        return [len(found)], None
    found.sort(key=lambda row: _place(query, row[0], row[1]))
    mark = _read(token) if token else _Mark([], 0, 0)
    rest = found[query.offset :] if token is None else _after(query, found, mark)
    if query.limit is not None:
        rest = rest[: max(0, query.limit - mark.given)]
    shown = rest[:size]
    values = (query.project(document) for _, _, document in shown)
    more = _written(_Mark(shown[-1][0], shown[-1][1], mark.given + len(shown))) if len(rest) > size else None
    return [value for value in values if value is not UNDEFINED], more


def _keys(query: Query, document: Document) -> list[list[Any]]:
    return [sort_key(path(document)) for path, _ in query.order]


def _place(query: Query, keys: list[list[Any]], number: int) -> tuple[Any, ...]:
    ordered = (_Down(key) if down else key for key, (_, down) in zip(keys, query.order, strict=True))
    return (*ordered, number)


def _after(query: Query, found: list[Any], mark: _Mark) -> list[Any]:
    try:
        last = _place(query, mark.keys, mark.number)
        return [row for row in found if _place(query, row[0], row[1]) > last]
    except (TypeError, ValueError):
        raise Refusal(400, INVALID_TOKEN) from None


def _written(mark: _Mark) -> str:
    return base64.urlsafe_b64encode(json.dumps([mark.keys, mark.number, mark.given]).encode()).decode()


def _read(token: str) -> _Mark:
    try:
        keys, number, given = json.loads(base64.b64decode(token.encode(), b"-_", validate=True))
        return _Mark([[int(rank), value] for rank, value in keys], int(number), int(given))
    except (UnicodeError, ValueError, TypeError):
        raise Refusal(400, INVALID_TOKEN) from None
