"""How much everybody has used, kept in one Cosmos DB container.

An admission is one conditional patch: the service itself admits, one after the other, however many workers ask.
"""

from voice_core.adapters.cosmos.admission_documents import (
    DOCUMENT,
    STAGE,
    AdmissionRequest,
    first_document,
)
from voice_core.adapters.cosmos.container import Container, Database
from voice_core.adapters.cosmos.partition import Partition, WriteConflict
from voice_core.adapters.cosmos.store import Store
from voice_core.domain.errors import StageFailed
from voice_core.domain.limits import DailyQuota, Rate, Usage, day

TRIES = 10
"""At one document, when others change it at the same time."""


class CosmosAdmissions(Store):
    """The `Admissions` of all users."""

    def __init__(self, database: Database, *, deadline_seconds: float) -> None:
        super().__init__(Container(database, STAGE, (), deadline_seconds))

    async def admit(self, user_id: str, rate: Rate, quota: DailyQuota | None, now: int) -> tuple[bool, Usage]:
        """As in `Admissions`: one operation to admit, now and then one more to tidy up; two to refuse."""
        asked = AdmissionRequest(rate, quota, now)
        async with self.container.partition(user_id) as partition:
            for _ in range(TRIES):
                if verdict := await _asked_once(partition, user_id, asked):
                    return verdict
        raise _contended()

    async def charge(self, user_id: str, heard_ms: int, now: int) -> None:
        """As in `Admissions`: one operation, and two for the first of a day."""
        async with self.container.partition(user_id) as partition:
            for _ in range(TRIES):
                if await _charged(partition, user_id, heard_ms, day(now)):
                    return
        raise _contended()

    async def heard(self, user_id: str) -> Usage:
        """As in `Admissions`: one operation."""
        async with self.container.partition(user_id) as partition:
            document = await partition.read(DOCUMENT) or first_document(user_id)
            return Usage((), document["day"], document["heardMs"])


async def _asked_once(partition: Partition, user_id: str, asked: AdmissionRequest) -> tuple[bool, Usage] | None:
    """Whether it was admitted, and what is used then; None when somebody else was faster."""
    found = await partition.patch(DOCUMENT, asked.operations, asked.condition)
    if not isinstance(found, WriteConflict):
        if tidied := asked.tidied(found):
            # Unless somebody else has changed it meanwhile: then they do it, or the next.
            await partition.replace(tidied, found["_etag"])
        return True, asked.used(found)
    document = await partition.read(DOCUMENT) if found.status == 412 else None
    if document is None:
        made = await partition.create(asked.added(first_document(user_id)))
    elif asked.fits(document):
        made = await partition.replace(asked.added(document), document["_etag"])
    else:
        return False, asked.used(document)
    return (True, asked.used(made)) if made else None


async def _charged(partition: Partition, user_id: str, heard_ms: int, today: int) -> bool:
    """Whether it was; not when somebody else was faster."""
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
    return StageFailed("The same user's use was counted too often at once.", stage=STAGE)
