"""What a user has used as a document: one a user, in the partition ``/userId``.

For each kind it has a log of the moments of the latest admissions, newest first. One more is allowed when the one that
was so many before it is out of the window. None is put down before one that is there already: that is what makes it
exact in whatever order requests arrive.
"""

from dataclasses import dataclass
from typing import Any, get_args

from voice_core.adapters.cosmos.documents import Document
from voice_core.domain.limits import DAY_SECONDS, DailyQuota, Kind, Rate, Usage, day

STAGE = "limits"

DOCUMENT = "limits"
"""The id of each user's document."""

TTL_SECONDS = 2 * DAY_SECONDS
"""From the last change, by when nothing in it counts: no window is longer than a day."""

LITTER = 30
"""Moments that no longer count and are left in a log: taking one out costs an operation, however many they are."""


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """One more that is asked for."""

    rate: Rate
    quota: DailyQuota | None
    now: int

    @property
    def condition(self) -> str:
        """Of the patch: there is a log, room in it, and nothing later."""
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
        """Of the patch."""
        return [{"op": "add", "path": f"/{self.rate.kind}/0", "value": self.now}]

    def used(self, document: Document) -> Usage:
        return Usage(self._log(document), document["day"], document["heardMs"])

    def fits(self, document: Document) -> bool:
        """Whether there is room for it, though something may be later."""
        limits = (self.rate, self.quota) if self.quota else (self.rate,)
        return all(limit.left(self.used(document), self.now).count for limit in limits)

    def added(self, document: Document) -> Document:
        """*document* with one more."""
        log = self._log(document)
        return _own(document) | {self.rate.kind: [max([self.now, *log[:1]]), *log]}

    def tidied(self, document: Document) -> Document | None:
        """*document* without moments that no longer count; None while they are few."""
        log = self._log(document)
        counting = [moment for moment in log if self.rate.free(moment) > self.now]
        few = len(log) <= len(counting) + max(LITTER, len(counting))
        return None if few else _own(document) | {self.rate.kind: counting}

    def _log(self, document: Document) -> list[int]:
        log: list[int] = document.get(self.rate.kind, [])
        return log


def first_document(user_id: str) -> Document:
    """Of a user who has used nothing."""
    logs: Document = {kind: [] for kind in get_args(Kind)}
    return {"id": DOCUMENT, "userId": user_id, "day": 0, "heardMs": 0, "ttl": TTL_SECONDS} | logs


def _absent_or(moment: str, latest: int) -> str:
    return f"(NOT IS_DEFINED({moment}) OR {moment} <= {latest})"


def _own(document: Document) -> Document:
    """Without what the service adds."""
    return {name: value for name, value in document.items() if not name.startswith("_")}
