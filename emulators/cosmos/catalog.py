"""The databases of an account and their containers."""

import json
import secrets
import sqlite3
from collections.abc import Callable
from typing import Any

from emulators.cosmos.containers import Container, checked_definition, checked_id
from emulators.cosmos.refusals import OWNER_NOT_FOUND, Refusal

Resource = dict[str, Any]


def new_etag() -> str:
    """A new ETag, including its quotes."""
    return f'"{secrets.token_hex(8)}"'


def _new_rid() -> str:
    return secrets.token_urlsafe(6)


class Catalog:
    """Databases and containers, as the service returns them. *clock* returns seconds since 1970."""

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._db = connection
        self._clock = clock

    def create_database(self, body: Resource) -> Resource:
        name = checked_id(body)
        row = (name, _new_rid(), new_etag(), int(self._clock()))
        _insert(self._db, "INSERT INTO databases (id, rid, etag, ts) VALUES (?, ?, ?, ?)", row)
        return self.database(name)

    def database(self, name: str) -> Resource:
        row = self._db.execute("SELECT rid, etag, ts FROM databases WHERE id = ?", (name,)).fetchone()
        if row is None:
            raise Refusal(404, f"There is no database '{name}'.")
        return _shown({"id": name}, *row) | {"_colls": "colls/", "_users": "users/"}

    def databases(self) -> list[Resource]:
        return [self.database(name) for (name,) in self._db.execute("SELECT id FROM databases ORDER BY id").fetchall()]

    def containers(self, database: str) -> list[Resource]:
        rows = self._db.execute("SELECT id FROM containers WHERE database = ? ORDER BY id", (database,)).fetchall()
        return [self.container(database, name) for (name,) in rows]

    def delete_database(self, name: str) -> None:
        self.database(name)
        self._db.execute("DELETE FROM databases WHERE id = ?", (name,))

    def create_container(self, database: str, body: Resource) -> Resource:
        definition = checked_definition(body)
        self.database(database)
        row = (database, definition["id"], _new_rid(), json.dumps(definition), new_etag(), int(self._clock()))
        _insert(
            self._db, "INSERT INTO containers (database, id, rid, definition, etag, ts) VALUES (?, ?, ?, ?, ?, ?)", row
        )
        return self.container(database, definition["id"])

    def container(self, database: str, name: str) -> Resource:
        _, rid, definition, etag, ts = self._container_row(database, name)
        return _shown(json.loads(definition), rid, etag, ts) | {"_docs": "docs/"}

    def opened(self, database: str, name: str) -> Container:
        """The container *name*, for requests on its documents.

        Raises:
            Refusal: 404 with substatus 1003, there is none.
        """
        number, rid, definition, *_ = self._container_row(database, name, OWNER_NOT_FOUND)
        return Container(number, rid, json.loads(definition))

    def replace_container(self, database: str, name: str, body: Resource) -> Resource:
        """Change its TTL or indexing policy; the partition key cannot be changed."""
        definition, old = checked_definition(body), self.opened(database, name)
        if definition["id"] != name or definition["partitionKey"]["paths"] != old.definition["partitionKey"]["paths"]:
            raise Refusal(400, "The id and the partition key of a container cannot be changed.")
        stored = {key: value for key, value in definition.items() if not key.startswith("_")}
        row = (json.dumps(stored), new_etag(), int(self._clock()), old.number)
        self._db.execute("UPDATE containers SET definition = ?, etag = ?, ts = ? WHERE number = ?", row)
        return self.container(database, name)

    def delete_container(self, database: str, name: str) -> None:
        number = self.opened(database, name).number
        self._db.execute("DELETE FROM containers WHERE number = ?", (number,))

    def _container_row(self, database: str, name: str, substatus: int | None = None) -> tuple[Any, ...]:
        query = "SELECT number, rid, definition, etag, ts FROM containers WHERE database = ? AND id = ?"
        row: tuple[Any, ...] | None = self._db.execute(query, (database, name)).fetchone()
        if row is None:
            raise Refusal(404, f"There is no container '{name}' in '{database}'.", substatus)
        return row


def _insert(connection: sqlite3.Connection, statement: str, row: tuple[Any, ...]) -> None:
    try:
        connection.execute(statement, row)
    except sqlite3.IntegrityError:
        raise Refusal(409, "A resource of this id already exists.") from None


def _shown(body: Resource, rid: str, etag: str, ts: int) -> Resource:
    return {**body, "_rid": rid, "_self": f"rids/{rid}/", "_etag": etag, "_ts": ts}
