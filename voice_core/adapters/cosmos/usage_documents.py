"""A user's usage as a document: one per user, in the partition ``/userId``.

For each kind it has a log of the times of the latest admissions, newest first. With a limit of n per window, another
admission is allowed if the n-th latest is out of the window. The log is always sorted: the patch does not insert a time
that is earlier than the newest one. So the limit is exact, in whatever order requests arrive.
"""

from dataclasses import dataclass
from typing import Any, get_args

from voice_core.adapters.cosmos.documents import Document
from voice_core.domain.limits import DAY_SECONDS, DailyQuota, Kind, Rate, Usage, day

STAGE = "limits"

DOCUMENT = "limits"
"""The id of each user's document."""

TTL_SECONDS = 2 * DAY_SECONDS
"""Time from the last change. After that nothing in the document counts: no window is longer than a day."""

MAX_EXPIRED = 30
"""Expired times that may stay in a log: this many, or as many as still count if that is more. Removing them costs one
operation."""


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """A request for one more admission, at *now* in milliseconds since 1970."""

    rate: Rate
    quota: DailyQuota | None
    now: int

    @property
    def condition(self) -> str:
        """Condition of the patch: the log exists, has room, and contains no later time."""
        log, cutoff = f"c.{self.rate.kind}", self.now - self.rate.window_seconds * 1000
        room = (
            f"FROM c WHERE IS_DEFINED({log})"
            f" AND {_absent_or(f'{log}[{self.rate.most - 1}]', cutoff)} AND {_absent_or(f'{log}[0]', self.now)}"
        )
        if self.quota is None:
            return room
        return f"{room} AND (c.day < {day(self.now)} OR c.heardMs < {self.quota.seconds * 1000})"

    @property
    def operations(self) -> list[dict[str, Any]]:
        """Operations of the patch."""
        return [{"op": "add", "path": f"/{self.rate.kind}/0", "value": self.now}]

    def used(self, document: Document) -> Usage:
        return Usage(self._log(document), document["day"], document["heardMs"])

    def fits(self, document: Document) -> bool:
        """Whether the limits leave room for it, even if the log contains a later time."""
        limits = (self.rate, self.quota) if self.quota else (self.rate,)
        return all(limit.left(self.used(document), self.now).count for limit in limits)

    def added(self, document: Document) -> Document:
        """*document* with one more admission."""
        log = self._log(document)
        return _without_system_properties(document) | {self.rate.kind: [max([self.now, *log[:1]]), *log]}

    def pruned(self, document: Document) -> Document | None:
        """*document* without expired times; None while they are few."""
        log = self._log(document)
        counting = [moment for moment in log if self.rate.free(moment) > self.now]
        few = len(log) <= len(counting) + max(MAX_EXPIRED, len(counting))
        return None if few else _without_system_properties(document) | {self.rate.kind: counting}

    def _log(self, document: Document) -> list[int]:
        log: list[int] = document.get(self.rate.kind, [])
        return log


def first_document(user_id: str) -> Document:
    """The document of a user who has used nothing."""
    logs: Document = {kind: [] for kind in get_args(Kind)}
    return {"id": DOCUMENT, "userId": user_id, "day": 0, "heardMs": 0, "ttl": TTL_SECONDS} | logs


def _absent_or(moment: str, latest: int) -> str:
    return f"(NOT IS_DEFINED({moment}) OR {moment} <= {latest})"


def _without_system_properties(document: Document) -> Document:
    """*document* without the properties that the service adds."""
    return {name: value for name, value in document.items() if not name.startswith("_")}
