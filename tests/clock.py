"""A clock that a test sets."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Seconds since 1970; it advances only when a test changes *now*."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now
