"""The usage of all users, stored in one Cosmos DB container.

An admission is one conditional patch: the service itself decides, one request after the other, for all workers.
"""

from voice_core.adapters.cosmos.container import Container, Database
from voice_core.adapters.cosmos.partition import Partition, WriteConflict
from voice_core.adapters.cosmos.store import Store
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
    """The `UsageStore` of all users."""

    def __init__(self, database: Database, *, deadline_seconds: float) -> None:
        super().__init__(Container(database, STAGE, (), deadline_seconds))

    async def admit(self, user_id: str, rate: Rate, quota: DailyQuota | None, now: int) -> tuple[bool, Usage]:
        """As in `UsageStore`: one operation to admit, sometimes one more to remove expired times; two to refuse."""
        request = AdmissionRequest(rate, quota, now)
        async with self.container.partition(user_id) as partition:
            for _ in range(TRIES):
                if verdict := await _admit_once(partition, user_id, request):
                    return verdict
        raise _contended()

    async def add_audio(self, user_id: str, heard_ms: int, now: int) -> None:
        """As in `UsageStore`: one operation, and two for the first call of a day."""
        async with self.container.partition(user_id) as partition:
            for _ in range(TRIES):
                if await _add_audio_once(partition, user_id, heard_ms, day(now)):
                    return
        raise _contended()

    async def audio_usage(self, user_id: str) -> Usage:
        """As in `UsageStore`: one operation."""
        async with self.container.partition(user_id) as partition:
            document = await partition.read(DOCUMENT) or first_document(user_id)
            return Usage((), document["day"], document["heardMs"])


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


async def _add_audio_once(partition: Partition, user_id: str, heard_ms: int, today: int) -> bool:
    """Whether the sound was counted; False if another worker changed the document first."""
    add = {"op": "incr", "path": "/heardMs", "value": heard_ms}
    found = await partition.patch(DOCUMENT, [add], f"FROM c WHERE c.day >= {today}")
    if isinstance(found, WriteConflict) and found.status == 412:
        begin = [
            {"op": "set", "path": path, "value": value} for path, value in (("/day", today), ("/heardMs", heard_ms))
        ]
        found = await partition.patch(DOCUMENT, begin, f"FROM c WHERE c.day < {today}")
    if not isinstance(found, WriteConflict):
        return True
    if found.status == 412:
        return False
    return await partition.create(first_document(user_id) | {"day": today, "heardMs": heard_ms}) is not None


def _contended() -> StageFailed:
    return StageFailed("Too many requests changed this user's usage at the same time.", stage=STAGE)
