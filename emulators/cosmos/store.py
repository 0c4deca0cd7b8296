"""The store: one SQLite database, in a file or in memory."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS databases (
    id TEXT PRIMARY KEY, rid TEXT NOT NULL, etag TEXT NOT NULL, ts INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS containers (
    number INTEGER PRIMARY KEY AUTOINCREMENT, database TEXT NOT NULL REFERENCES databases ON DELETE CASCADE,
    id TEXT NOT NULL, rid TEXT NOT NULL, definition TEXT NOT NULL, etag TEXT NOT NULL, ts INTEGER NOT NULL,
    UNIQUE (database, id)
);
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY AUTOINCREMENT, container INTEGER NOT NULL REFERENCES containers ON DELETE CASCADE,
    partition TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, etag TEXT NOT NULL, ts INTEGER NOT NULL,
    ttl INTEGER, UNIQUE (container, partition, id)
);
"""


def open_store(path: Path | None) -> sqlite3.Connection:
    """A connection to the store at *path*, created if missing; with None it is in memory.

    A committed transaction survives a crash of the process, by the write-ahead log; only a power cut may lose the last
    ones.
    """
    connection = sqlite3.connect(path or ":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(SCHEMA)
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit all writes inside the block, or none if it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
