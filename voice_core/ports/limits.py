"""The store of what users have used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from voice_core.domain.limits import DailyQuota, Rate, Usage


class Admissions(Protocol):
    """Counts for all workers alike. *now* is in milliseconds since 1970. All raise StageFailed, stage ``limits``."""

    async def admit(self, user_id: str, rate: Rate, quota: DailyQuota | None, now: int) -> tuple[bool, Usage]:
        """Count one more, unless *rate* or *quota* is used up: whether it was, and what is used then."""

    async def charge(self, user_id: str, heard_ms: int, now: int) -> None:
        """So much sound was heard, whether or not there was that much left."""

    async def heard(self, user_id: str) -> Usage:
        """The sound that is used; no moments."""
