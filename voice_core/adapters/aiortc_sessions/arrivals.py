"""Packets in the order they were sent."""

from collections.abc import Iterator

PATIENCE = 3
"""Packets that may overtake a missing one before it is given up."""

LONGEST_GAP = 10
"""Missing packets that are made up for; more mean that the sender began anew."""

_WRAP = 1 << 16


class Arrivals:
    """Puts payloads in order by their RTP sequence numbers; what is there in time is never held back."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._early: dict[int, bytes] = {}

    def add(self, number: int, payload: bytes) -> Iterator[bytes | None]:
        """What can be heard now: payloads, and None for each that was lost."""
        ahead = 0 if self._next is None else (number - self._next) % _WRAP
        if ahead > _WRAP // 2:
            return
        if self._next is None or ahead > LONGEST_GAP:
            self._next, self._early = number, {}
        self._early[number] = payload
        if len(self._early) > PATIENCE:
            while self._next not in self._early:
                yield None
                self._next = (self._next + 1) % _WRAP
        while (payload_now := self._early.pop(self._next, None)) is not None:
            yield payload_now
            self._next = (self._next + 1) % _WRAP
