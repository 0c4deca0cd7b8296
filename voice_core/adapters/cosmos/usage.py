"""The usage of all users, stored in one Cosmos DB container.

An admission is one conditional patch: the service itself decides, one request after the other, for all workers.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from voice_core.adapters.cosmos.container import Container, Database
from voice_core.adapters.cosmos.documents import Document
from voice_core.adapters.cosmos.partition import Partition, WriteConflict
from voice_core.adapters.cosmos.store import Store
from voice_core.adapters.cosmos.store_clock import StoreClock
from voice_core.adapters.cosmos.usage_documents import (
    DOCUMENT,
    STAGE,
    AdmissionRequest,
    first_document,
)
from voice_core.domain.errors import StageFailed
from voice_core.domain.limits import DailyQuota, Rate, Usage, day

TRIES = 10
"""Most attempts to change a document that other workers change at the same time."""


class CosmosUsage(Store):
    """The `UsageStore` of all users. *wall* is the worker's clock, in seconds since 1970."""

    def __init__(self, database: Database, *, deadline_seconds: float, wall: Callable[[], float] = time.time) -> None:
        self.clock = StoreClock(wall)
        """The time in which usage is counted."""
        super().__init__(Container(database, STAGE, (), deadline_seconds, self.clock))

    async def admit(self, user_id: str, rate: Rate, quota: DailyQuota | None, now: int) -> tuple[bool, Usage]:
        """As in `UsageStore`: one operation to admit, sometimes one more to remove expired times; two to refuse."""
        async with self._partition(user_id, now) as (partition, then):
            request = AdmissionRequest(rate, quota, then)
            for _ in range(TRIES):
                if verdict := await _admit_once(partition, user_id, request):
                    return verdict
        raise _contended()

    async def admit_audio(self, user_id: str, heard_ms: int, quota: DailyQuota, now: int) -> tuple[bool, Usage]:
        """As in `UsageStore`: one operation to admit, and two or three for the first of a day; two to refuse."""
        async with self._partition(user_id, now) as (partition, then):
            for _ in range(TRIES):
                if verdict := await _admit_audio_once(partition, user_id, heard_ms, quota, day(then)):
                    return verdict
        raise _contended()

    async def add_audio(self, user_id: str, heard_ms: int, now: int) -> None:
        """As in `UsageStore`: one operation, and two for the first call of a day."""
        async with self._partition(user_id, now) as (partition, then):
            for _ in range(TRIES):
                if await _add_audio_once(partition, user_id, heard_ms, day(then)):
                    return
        raise _contended()

    async def audio_usage(self, user_id: str) -> Usage:
        """As in `UsageStore`: one operation."""
        async with self.container.partition(user_id) as partition:
            document = await partition.read(DOCUMENT) or first_document(user_id)
            return _sound(document)

    @asynccontextmanager
    async def _partition(self, user_id: str, now: int) -> AsyncIterator[tuple[Partition, int]]:
        """The user's partition, and *now* corrected by what connecting to it showed about the worker's clock."""
        ahead_seconds = self.clock.ahead_seconds
        async with self.container.partition(user_id) as partition:
            yield partition, now - round((self.clock.ahead_seconds - ahead_seconds) * 1000)


async def _admit_once(partition: Partition, user_id: str, request: AdmissionRequest) -> tuple[bool, Usage] | None:
    """Whether *request* was admitted, and the usage after that; None if another worker changed the document first."""
    found = await partition.patch(DOCUMENT, request.operations, request.condition)
    if not isinstance(found, WriteConflict):
        if pruned := request.pruned(found):
            # If another worker has changed the document meanwhile, that worker or a later call removes them.
            await partition.replace(pruned, found["_etag"])
        return True, request.used(found)
    document = await partition.read(DOCUMENT) if found.status == 412 else None
    if document is None:
        stored = await partition.create(request.added(first_document(user_id)))
    elif request.fits(document):
        stored = await partition.replace(request.added(document), document["_etag"])
    else:
        return False, request.used(document)
    return (True, request.used(stored)) if stored else None


async def _admit_audio_once(
    partition: Partition, user_id: str, heard_ms: int, quota: DailyQuota, today: int
) -> tuple[bool, Usage] | None:
    """Whether the sound was counted, and the usage after that; None if another worker changed the document first."""
    room = f"FROM c WHERE c.day >= {today} AND c.heardMs < {quota.seconds * 1000}"
    found = await partition.patch(DOCUMENT, [_more(heard_ms)], room)
    if not isinstance(found, WriteConflict):
        return True, _sound(found)
    document = await partition.read(DOCUMENT) if found.status == 412 else None
    if document is not None and document["day"] >= today:
        return None if document["heardMs"] < quota.seconds * 1000 else (False, _sound(document))
    begun = await _begin_day(partition, user_id, heard_ms, today, exists=document is not None)
    return (True, _sound(begun)) if begun else None


async def _add_audio_once(partition: Partition, user_id: str, heard_ms: int, today: int) -> bool:
    """Whether the sound was counted; False if another worker changed the document first."""
    found = await partition.patch(DOCUMENT, [_more(heard_ms)], f"FROM c WHERE c.day >= {today}")
    if not isinstance(found, WriteConflict):
        return True
    return await _begin_day(partition, user_id, heard_ms, today, exists=found.status == 412) is not None


async def _begin_day(partition: Partition, user_id: str, heard_ms: int, today: int, *, exists: bool) -> Document | None:
    """The document with the first sound of *today*; None if another worker changed it first."""
    if not exists:
        return await partition.create(first_document(user_id) | {"day": today, "heardMs": heard_ms})
    first = [{"op": "set", "path": path, "value": value} for path, value in (("/day", today), ("/heardMs", heard_ms))]
    found = await partition.patch(DOCUMENT, first, f"FROM c WHERE c.day < {today}")
    return None if isinstance(found, WriteConflict) else found


def _more(heard_ms: int) -> dict[str, Any]:
    return {"op": "incr", "path": "/heardMs", "value": heard_ms}


def _sound(document: Document) -> Usage:
    """The usage of sound in *document*."""
    return Usage((), document["day"], document["heardMs"])


def _contended() -> StageFailed:
    return StageFailed("Too many requests changed this user's usage at the same time.", stage=STAGE)
