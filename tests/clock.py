"""A clock that a test turns."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Seconds since 1970 that pass when told to."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now
