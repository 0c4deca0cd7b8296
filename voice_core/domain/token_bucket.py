"""A token bucket: how much of something may arrive at once, and how much a second in the long run."""


class TokenBucket:
    """Holds *most* tokens at first, and gets *per_second* new ones. Callers pass the time, in seconds of one clock."""

    def __init__(self, per_second: float, most: float) -> None:
        self._per_second, self._most = per_second, most
        self._tokens = most
        self._at: float | None = None

    def take(self, now: float, count: float = 1) -> bool:
        """Take *count* tokens, if there are so many."""
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        self._tokens = min(self._most, self._tokens + passed * self._per_second)
        if count > self._tokens:
            return False
        self._tokens -= count
        return True
