"""Operations on one user's partition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import DecodeError
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosBatchOperationError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from voice_core.adapters.cosmos.documents import Document, invalid_continuation
from voice_core.adapters.cosmos.throttle_retry import retry_throttled

OWNER_NOT_FOUND = 1003
"""Substatus of a 404: the container is missing."""

CONTINUATION_KILOBYTES = 1
"""Small, because a continuation is sent in URLs."""

Operation = tuple[str, tuple[Any, ...], dict[str, str]]
"""An operation of a batch: verb, arguments and options, as the SDK expects them."""


@dataclass(frozen=True, slots=True)
class WriteConflict:
    """Why a batch or a patch was not applied: the stored documents did not meet its conditions."""

    index: int
    """Index of the operation that failed."""
    status: int
    """HTTP status: 404, 409 or 412."""


class Partition:
    """One user's documents in *container*. No operation reaches another user's documents.

    A throttled request is repeated when the service says, unless that is later than *deadline*, on the event loop's
    clock.
    """

    def __init__(self, container: ContainerProxy, key: str, deadline: float) -> None:
        self._container = container
        self._key = key
        self._deadline = deadline

    async def read(self, name: str) -> Document | None:
        """A document by its id; None if there is none."""
        try:
            return _checked(
                name, await retry_throttled(lambda: self._container.read_item(name, self._key), self._deadline)
            )
        except CosmosResourceNotFoundError as error:
            _check_owner(error)
            return None

    async def all(self, query: str, parameters: Mapping[str, Any]) -> list[Any]:
        """All results of a query. The query itself must limit their number."""
        found, token = await self.page(query, parameters, None, None)
        while token:
            more, token = await self.page(query, parameters, None, token)
            found += more
        return found

    async def page(
        self, query: str, parameters: Mapping[str, Any], limit: int | None, token: str | None
    ) -> tuple[list[Any], str | None]:
        """At most *limit* results, and the token for more.

        Raises:
            InvalidInput: ``continuation-invalid``; the service does not know *token*.
        """
        try:
            return await retry_throttled(lambda: self._page(query, parameters, limit, token), self._deadline)
        except CosmosHttpResponseError as error:
            if token and error.status_code == 400:
                raise invalid_continuation() from error
            raise

    async def _page(
        self, query: str, parameters: Mapping[str, Any], limit: int | None, token: str | None
    ) -> tuple[list[Any], str | None]:
        headers: dict[str, str] = {}
        pages = self._container.query_items(
            query=query,
            parameters=[{"name": f"@{name}", "value": value} for name, value in parameters.items()],
            partition_key=self._key,
            max_item_count=limit,
            continuation_token_limit=CONTINUATION_KILOBYTES,
            # The SDK takes its continuation from the latest response of its client, of any request.
            response_hook=lambda response_headers, _: headers.update(response_headers),
        ).by_page(token)
        async for items in pages:
            return [item async for item in items], headers.get("x-ms-continuation")
        return [], None

    async def create(self, document: Document) -> Document | None:
        """*document* as it is stored now; None if its id is taken."""
        try:
            stored = await retry_throttled(lambda: self._container.create_item(document), self._deadline)
        except CosmosResourceExistsError:
            return None
        return _checked(document["id"], stored)

    async def replace(self, document: Document, etag: str) -> Document | None:
        """*document* as it is stored now; None if the stored version is not *etag*, or the document is gone."""
        try:
            stored = await retry_throttled(
                lambda: self._container.replace_item(document["id"], document, **_if_version(etag)), self._deadline
            )
        except (CosmosAccessConditionFailedError, CosmosResourceNotFoundError) as error:
            _check_owner(error)
            return None
        return _checked(document["id"], stored)

    async def delete(self, name: str, etag: str) -> None:
        """Delete a document; succeeds without effect if its version is not *etag*, or it is gone."""
        try:
            await retry_throttled(
                lambda: self._container.delete_item(name, self._key, **_if_version(etag)), self._deadline
            )
        except (CosmosAccessConditionFailedError, CosmosResourceNotFoundError) as error:
            _check_owner(error)

    async def patch(self, name: str, operations: list[dict[str, Any]], condition: str) -> Document | WriteConflict:
        """Apply at most 10 *operations* to a document if it meets *condition*; returns the changed document.

        A condition has no parameters, so it must not contain anything that a caller sends.
        """
        try:
            changed = await retry_throttled(
                lambda: self._container.patch_item(name, self._key, operations, filter_predicate=condition),
                self._deadline,
            )
        except (CosmosAccessConditionFailedError, CosmosResourceNotFoundError) as error:
            _check_owner(error)
            return WriteConflict(0, 404 if isinstance(error, CosmosResourceNotFoundError) else 412)
        return _checked(name, changed)

    async def commit(self, operations: Sequence[Operation]) -> WriteConflict | None:
        """Apply all *operations*, at most 100, or none; returns which operation failed, and None on success."""
        try:
            await retry_throttled(lambda: self._commit(operations), self._deadline)
        except CosmosBatchOperationError as error:
            if error.status_code in (404, 409, 412):
                return WriteConflict(error.error_index, error.status_code)
            raise
        return None

    async def _commit(self, operations: Sequence[Operation]) -> None:
        # The SDK empties the options that it receives: a retry would lose its ETags.
        fresh = [(verb, arguments, dict(options)) for verb, arguments, options in operations]
        if len(await self._container.execute_item_batch(fresh, self._key)) != len(fresh):
            raise DecodeError("Not a result for each operation.")


def _checked(name: str, document: Document) -> Document:
    """*document*, if its id is *name*. An empty response must not pass for a missing document."""
    if not document or document["id"] != name or not document["_etag"]:
        raise DecodeError("Not the requested document.")
    return document


def _if_version(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _check_owner(error: CosmosHttpResponseError) -> None:
    """Raise *error* again if it means that the container is missing."""
    if error.sub_status == OWNER_NOT_FOUND:
        raise error
