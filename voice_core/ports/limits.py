"""The store of usage: counted requests and seconds of sound of each user."""

from __future__ import annotations

from typing import Protocol

from voice_core.domain.limits import DailyQuota, Rate, Usage


class UsageStore(Protocol):
    """Counts for all workers alike. *now* is in milliseconds since 1970. All raise StageFailed, stage ``limits``."""

    async def admit(self, user_id: str, rate: Rate, quota: DailyQuota | None, now: int) -> tuple[bool, Usage]:
        """Count one more request, unless *rate* or *quota* is used up: whether it was counted, and the usage then."""

    async def admit_audio(self, user_id: str, heard_ms: int, quota: DailyQuota, now: int) -> tuple[bool, Usage]:
        """Add *heard_ms* of sound, unless *quota* is used up: whether it was added, and the usage of sound then."""

    async def add_audio(self, user_id: str, heard_ms: int, now: int) -> None:
        """Add *heard_ms* of sound to the usage, even beyond the quota."""

    async def audio_usage(self, user_id: str) -> Usage:
        """The usage of sound; `moments` is empty."""
