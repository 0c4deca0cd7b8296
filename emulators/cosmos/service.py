"""The operations of the emulator, without HTTP machinery. Synchronous and quick."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from emulators.cosmos.account import account_document
from emulators.cosmos.auth import Authorizer
from emulators.cosmos.batch import run_batch
from emulators.cosmos.catalog import Catalog
from emulators.cosmos.containers import Container, partition_header
from emulators.cosmos.indexing import check_sortable
from emulators.cosmos.items import MAX_BYTES, Items, Outcome, Place
from emulators.cosmos.paging import DEFAULT_ITEMS, page
from emulators.cosmos.query import parse_query
from emulators.cosmos.refusals import COLLECTION_RID_MISMATCH, Refusal
from emulators.cosmos.requests import PARTITION_KEY, Request
from emulators.cosmos.store import transaction


@dataclass(frozen=True, slots=True)
class Response:
    """A response of the service."""

    status: int
    body: Any = None
    """JSON; None for no body."""
    headers: dict[str, str] = field(default_factory=dict)


class Service:
    """One Cosmos account, stored in the database of *connection*."""

    def __init__(self, connection: sqlite3.Connection, authorizer: Authorizer, clock: Callable[[], float]) -> None:
        self._db = connection
        self._authorizer = authorizer
        self._catalog = Catalog(connection, clock)
        self._items = Items(connection, clock)
        self._responses = count(1)

    def session_token(self) -> str:
        """The value of ``x-ms-session-token``, which only has to increase."""
        return f"0:-1#{next(self._responses)}"

    def handle(self, request: Request) -> Response:
        """Perform *request*.

        Raises:
            Refusal: the request is refused.
        """
        self._authorizer.check(request.method, request.resource, request.headers)
        shape = "/".join([request.method, *request.segments[::2], *["*"][: 1 - len(request.segments) % 2]])
        serve = _ROUTES.get(shape)
        if serve is None:
            raise Refusal(400, f"This emulator does not serve {shape}.")
        return serve(self, request)

    def _account(self, request: Request) -> Response:
        return Response(200, account_document(request.host))

    def _databases(self, _request: Request) -> Response:
        found = self._catalog.databases()
        return Response(200, {"_rid": "", "Databases": found, "_count": len(found)})

    def _containers(self, request: Request) -> Response:
        database = self._catalog.database(*request.names)
        found = self._catalog.containers(database["id"])
        return Response(200, {"_rid": database["_rid"], "DocumentCollections": found, "_count": len(found)})

    def _create_database(self, request: Request) -> Response:
        return _resource(201, self._catalog.create_database(request.record()))

    def _database(self, request: Request) -> Response:
        return _resource(200, self._catalog.database(*request.names))

    def _delete_database(self, request: Request) -> Response:
        self._catalog.delete_database(*request.names)
        return Response(204)

    def _create_container(self, request: Request) -> Response:
        return _resource(201, self._catalog.create_container(request.names[0], request.record()))

    def _container(self, request: Request) -> Response:
        return _resource(200, self._catalog.container(*request.names))

    def _replace_container(self, request: Request) -> Response:
        database, name = request.names
        return _resource(200, self._catalog.replace_container(database, name, request.record()))

    def _delete_container(self, request: Request) -> Response:
        self._catalog.delete_container(*request.names)
        return Response(204)

    def _key_ranges(self, request: Request) -> Response:
        """One range that never changes. A client repeats the request until it gets 304, so that must come."""
        rid, etag = self._opened(request).rid, '"1"'
        if request.headers.get("if-none-match"):
            return Response(304, headers={"etag": etag})
        ranges = [{"id": "0", "_rid": rid, "minInclusive": "", "maxExclusive": "FF", "parents": [], "status": "online"}]
        return Response(200, {"_rid": rid, "PartitionKeyRanges": ranges, "_count": 1}, {"etag": etag})

    def _post_documents(self, request: Request) -> Response:
        request.check_supported()
        place = self._place(request)
        if request.operation == "query":
            return self._query(place, request)
        if request.operation == "batch":
            return self._batch(place, request)
        with transaction(self._db):
            if request.operation == "upsert":
                return _outcome(self._items.upsert(place, request.record(), request.headers.get("if-match")))
            return _outcome(self._items.create(place, request.record()))

    def _query(self, place: Place, request: Request) -> Response:
        document = request.record()
        query = parse_query(document.get("query"), document.get("parameters"))
        definition = place.container.definition
        check_sortable(definition["indexingPolicy"], [(str(path), down) for path, down in query.order])
        size, token = request.page_size(DEFAULT_ITEMS), request.headers.get("x-ms-continuation")
        found, more = page(query, self._items.rows(place), size, token)
        body = {"_rid": place.container.rid, "Documents": found, "_count": len(found)}
        return Response(200, body, {"x-ms-continuation": more} if more else {})

    def _batch(self, place: Place, request: Request) -> Response:
        if len(request.content) > MAX_BYTES:
            raise Refusal(413, "The size of the batch is more than 2 MB.")
        return Response(*run_batch(self._db, self._items, place, request.body()))

    def _read(self, request: Request) -> Response:
        name, unless = request.names[2], request.headers.get("if-none-match")
        return _outcome(self._items.read(self._place(request), name, unless))

    def _replace(self, request: Request) -> Response:
        place, name = self._place(request), request.names[2]
        with transaction(self._db):
            return _outcome(self._items.replace(place, name, request.record(), request.headers.get("if-match")))

    def _patch(self, request: Request) -> Response:
        place, name = self._place(request), request.names[2]
        with transaction(self._db):
            return _outcome(self._items.patch(place, name, request.body(), request.headers.get("if-match")))

    def _delete(self, request: Request) -> Response:
        place, name = self._place(request), request.names[2]
        with transaction(self._db):
            return _outcome(self._items.delete(place, name, request.headers.get("if-match")))

    def _opened(self, request: Request) -> Container:
        container = self._catalog.opened(*request.names[:2])
        intended = request.headers.get("x-ms-cosmos-intended-collection-rid", container.rid)
        if intended != container.rid:
            raise Refusal(400, "The container was deleted and made again.", COLLECTION_RID_MISMATCH)
        return container

    def _place(self, request: Request) -> Place:
        container = self._opened(request)
        return Place(container, partition_header(request.headers.get(PARTITION_KEY)))


def _resource(status: int, body: dict[str, Any]) -> Response:
    return Response(status, body, {"etag": body["_etag"]})


def _outcome(outcome: Outcome) -> Response:
    return _resource(outcome.status, outcome.document) if outcome.document else Response(outcome.status)


_ROUTES: dict[str, Callable[[Service, Request], Response]] = {
    "GET/*": Service._account,
    "GET/dbs": Service._databases,
    "POST/dbs": Service._create_database,
    "GET/dbs/*": Service._database,
    "DELETE/dbs/*": Service._delete_database,
    "GET/dbs/colls": Service._containers,
    "POST/dbs/colls": Service._create_container,
    "GET/dbs/colls/*": Service._container,
    "PUT/dbs/colls/*": Service._replace_container,
    "DELETE/dbs/colls/*": Service._delete_container,
    "GET/dbs/colls/pkranges": Service._key_ranges,
    "POST/dbs/colls/docs": Service._post_documents,
    "GET/dbs/colls/docs/*": Service._read,
    "PUT/dbs/colls/docs/*": Service._replace,
    "PATCH/dbs/colls/docs/*": Service._patch,
    "DELETE/dbs/colls/docs/*": Service._delete,
}
"""Operations by method and resource kinds in the path; a star stands for the name of a resource."""
