"""Documents, and the operations on one of them. A document's partition always comes from the request's header."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from emulators.cosmos.catalog import new_etag
from emulators.cosmos.containers import Container, checked_id, checked_ttl
from emulators.cosmos.patch import patched
from emulators.cosmos.query import parse_condition
from emulators.cosmos.refusals import Refusal

MAX_BYTES = 2 * 1024 * 1024
"""Size of a document or a batch; the service's limit."""

SYSTEM = ("_rid", "_self", "_etag", "_attachments", "_ts")

LIVE = "(:default IS NULL OR coalesce(ttl, :default) < 0 OR ts + coalesce(ttl, :default) > :now)"
"""SQL for documents that have not expired: their ttl, or else the container's, counts from the last write."""

HERE = "container = :container AND partition = :partition"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """One logical partition of a container: an operation on it cannot reach another partition."""

    container: Container
    partition: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an operation that was not refused."""

    status: int
    document: Document | None = None
    """As stored, with its system properties; None after a delete."""


class Items:
    """The documents of all containers. *clock* returns seconds since 1970. Writes must run in a transaction."""

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._db = connection
        self._clock = clock

    def rows(self, place: Place) -> list[tuple[int, Document]]:
        """All documents of *place* that have not expired, each with its creation number, oldest first."""
        query = f"SELECT number, id, body, etag, ts FROM items WHERE {HERE} AND {LIVE} ORDER BY number"  # noqa: S608
        return [(row[0], _shown(*row)) for row in self._db.execute(query, self._at(place))]

    def read(self, place: Place, name: str, if_none_match: str | None = None) -> Outcome:
        document = self._get(place, name)
        if document["_etag"] == if_none_match:
            raise Refusal(304, "It has not changed.")
        return Outcome(200, document)

    def create(self, place: Place, body: Any) -> Outcome:
        name = self._checked(place, body)
        if self._find(place, name):
            raise Refusal(409, "Entity with the specified id already exists in the system.")
        return Outcome(201, self._put(place, name, body))

    def upsert(self, place: Place, body: Any, if_match: str | None = None) -> Outcome:
        name = self._checked(place, body)
        old = self._find(place, name)
        if if_match and not old:
            raise Refusal(400, "This emulator does not serve a conditional upsert of what does not exist.")
        _check_match(old, if_match)
        return Outcome(200 if old else 201, self._put(place, name, body))

    def replace(self, place: Place, name: str, body: Any, if_match: str | None = None) -> Outcome:
        if self._checked(place, body) != name:
            raise Refusal(400, "The id of the document is not the one in the request.")
        _check_match(self._get(place, name), if_match)
        return Outcome(200, self._put(place, name, body))

    def patch(self, place: Place, name: str, body: Any, if_match: str | None = None) -> Outcome:
        """Apply ``{"operations": […], "condition": "from c where …"}``, or the list of operations alone."""
        if isinstance(body, list):
            body = {"operations": body}
        if not isinstance(body, dict):
            raise Refusal(400, "A patch is an object with operations.")
        old = self._get(place, name)
        _check_match(old, if_match)
        if "condition" in body and parse_condition(body["condition"])(old) is not True:
            raise Refusal(412, "The condition of the patch is not met.")
        new = patched(old, body.get("operations"), place.container.frozen)
        self._checked(place, new)
        return Outcome(200, self._put(place, name, new))

    def delete(self, place: Place, name: str, if_match: str | None = None) -> Outcome:
        _check_match(self._get(place, name), if_match)
        self._db.execute(f"DELETE FROM items WHERE {HERE} AND id = :id", self._at(place) | {"id": name})  # noqa: S608
        return Outcome(204)

    def _checked(self, place: Place, body: Any) -> str:
        if not isinstance(body, dict):
            raise Refusal(400, "A document is a JSON object.")
        if "ttl" in body and body["ttl"] is None:
            raise Refusal(400, "The input ttl is invalid: null.")
        checked_ttl(body.get("ttl"), "ttl")
        place.container.check_partition(body, place.partition)
        return checked_id(body)

    def _find(self, place: Place, name: str) -> Document | None:
        query = f"SELECT number, id, body, etag, ts FROM items WHERE {HERE} AND id = :id AND {LIVE}"  # noqa: S608
        row = self._db.execute(query, self._at(place) | {"id": name}).fetchone()
        return _shown(*row) if row else None

    def _get(self, place: Place, name: str) -> Document:
        document = self._find(place, name)
        if document is None:
            raise Refusal(404, "Entity with the specified id does not exist in the system.")
        return document

    def _put(self, place: Place, name: str, body: Document) -> Document:
        stored = json.dumps({key: value for key, value in body.items() if key not in SYSTEM}, ensure_ascii=False)
        if len(stored.encode()) > MAX_BYTES:
            raise Refusal(413, "The size of the document is more than 2 MB.")
        self._purge(place)
        etag = new_etag()
        row = {"id": name, "body": stored, "etag": etag, "ttl": body.get("ttl")}
        number, ts = self._db.execute(
            "INSERT INTO items (container, partition, id, body, etag, ts, ttl)"
            " VALUES (:container, :partition, :id, :body, :etag, :now, :ttl)"
            " ON CONFLICT DO UPDATE SET body = :body, etag = :etag, ts = :now, ttl = :ttl RETURNING number, ts",
            self._at(place) | row,
        ).fetchone()
        return _shown(number, name, stored, etag, ts)

    def _purge(self, place: Place) -> None:
        """Delete expired documents from the database, so that their ids are free again."""
        self._db.execute(f"DELETE FROM items WHERE {HERE} AND NOT {LIVE}", self._at(place))  # noqa: S608

    def _at(self, place: Place) -> dict[str, Any]:
        container = place.container
        return {
            "container": container.number,
            "partition": place.partition,
            "default": container.default_ttl,
            "now": int(self._clock()),
        }


def _check_match(document: Document | None, if_match: str | None) -> None:
    if document and if_match and if_match not in ("*", document["_etag"]):
        raise Refusal(412, "One of the specified pre-condition is not met.")


def _shown(number: int, name: str, body: str, etag: str, ts: int) -> Document:
    rid = f"item{number}"
    document = _parsed(body)
    return document | {
        "_rid": rid,
        "_self": f"rids/{rid}/",
        "_etag": etag,
        "_attachments": "attachments/",
        "_ts": ts,
    }


@lru_cache(maxsize=10_000)
def _parsed(body: str) -> Document:
    """The document of a JSON *body*. Cached: queries read whole partitions, and most of their time is JSON parsing."""
    document: Document = json.loads(body)
    return document
