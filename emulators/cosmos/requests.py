"""A request of the Cosmos REST API, read from HTTP."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulators.cosmos.auth import Resource
from emulators.cosmos.refusals import Refusal

PARTITION_KEY = "x-ms-documentdb-partitionkey"
CROSS_PARTITION = "x-ms-documentdb-query-enablecrosspartition"
UNSUPPORTED = {
    "a-im": "the change feed",
    "x-ms-cosmos-is-query-plan-request": "query plans",
    CROSS_PARTITION: "queries across partitions",
    "x-ms-documentdb-partitionkeyrangeid": "queries across partitions",
    "x-ms-start-epk-string": "queries across partitions",
    "x-ms-documentdb-pre-trigger-include": "triggers",
    "x-ms-documentdb-post-trigger-include": "triggers",
}
"""Headers that request features that this emulator does not serve, and the names of those."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request."""

    method: str
    segments: list[str]
    """Segments of the path, decoded: dbs, its id, colls, its id, …"""
    headers: Mapping[str, str]
    """Headers by case-insensitive name."""
    content: bytes
    host: str

    @property
    def resource(self) -> Resource:
        return Resource.of(self.segments)

    @property
    def names(self) -> list[str]:
        """The ids in the path: of the database, the container, the document."""
        return self.segments[1::2]

    @property
    def operation(self) -> str:
        """Its name in a script: account, database, container, pkranges, or an operation on documents."""
        named = {"": "account", "dbs": "database", "colls": "container"}
        return named.get(self.resource.kind) or self._document_operation()

    def _document_operation(self) -> str:
        if self.resource.kind != "docs":
            return self.resource.kind
        if len(self.segments) % 2:
            return "feed" if self.method == "GET" else self._posted()
        return {"GET": "read", "PUT": "replace"}.get(self.method, self.method.lower())

    def _posted(self) -> str:
        if self.flag("x-ms-documentdb-isquery") or self.flag("x-ms-cosmos-is-query-plan-request"):
            return "query"
        if self.flag("x-ms-cosmos-is-batch-request"):
            return "batch"
        return "upsert" if self.flag("x-ms-documentdb-is-upsert") else "create"

    def flag(self, header: str) -> bool:
        return self.headers.get(header, "").lower() == "true"

    def check_supported(self) -> None:
        """Raise a Refusal of 400 if the request uses an unsupported feature."""
        for header, what in UNSUPPORTED.items():
            # npm's SDK allows queries across partitions in every request, those within one partition included.
            harmless = header == CROSS_PARTITION and PARTITION_KEY in self.headers
            if self.headers.get(header, "").lower() not in ("", "false") and not harmless:
                raise Refusal(400, f"This emulator does not serve {what}.")

    def body(self) -> Any:
        """The body as JSON.

        Raises:
            Refusal: 400, it is not JSON.
        """
        try:
            return json.loads(self.content)
        except ValueError:
            raise Refusal(400, "The request payload is invalid: not JSON.") from None

    def record(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            Refusal: 400, it is not a JSON object.
        """
        body = self.body()
        if not isinstance(body, dict):
            raise Refusal(400, "The request payload is invalid: not a JSON object.")
        return body

    def page_size(self, default: int) -> int:
        """The page size in ``x-ms-max-item-count``; *default* if that is -1 or missing."""
        try:
            size = int(self.headers.get("x-ms-max-item-count", default))
        except ValueError:
            raise Refusal(400, "x-ms-max-item-count is no number.") from None
        return size if size > 0 else default
