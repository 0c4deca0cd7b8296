"""How a request's body arrives at the front, and how it is passed on."""

from local_host.front.limits import Limits


class UploadRate:
    """The average rate of a body; only the time that is spent waiting for it counts."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waited = 0.0
        self._arrived = 0

    @property
    def seconds_left(self) -> float:
        """How long the next piece may take; negative when the body is too slow."""
        return max(self._limits.grace_seconds, self._arrived / self._limits.slowest) - self._waited

    def add(self, size: int, seconds: float) -> None:
        """Count a piece of *size* bytes that took *seconds*."""
        self._arrived += size
        self._waited += seconds


class Steps:
    """Collects bytes until there is a step of them, as the write buffer of .NET's HTTP client does."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._collected = bytearray()

    def add(self, data: bytes) -> bytes:
        """The bytes to send now that *data* has arrived: none, or at least one step."""
        self._collected += data
        if len(self._collected) <= self._size:
            return b""
        # The first step completes what was collected; a large remainder is not divided, a small one is collected.
        remainder = len(self._collected) - self._size
        ready = len(self._collected) if remainder >= self._size else self._size
        step = bytes(self._collected[:ready])
        del self._collected[:ready]
        return step

    def rest(self) -> bytes:
        """The bytes that have not been sent."""
        rest = bytes(self._collected)
        self._collected.clear()
        return rest
