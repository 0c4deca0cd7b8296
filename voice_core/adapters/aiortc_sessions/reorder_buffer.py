"""Packets in the order they were sent."""

from collections.abc import Iterator

from aiortc.rtp import RtpPacket

PATIENCE = 3
"""Packets that may overtake a missing one before it is given up."""

LONGEST_GAP = 10
"""Missing packets that are waited for; more mean that the sender began anew."""

LATEST = 100
"""Packets that one may be behind and is merely late; more mean the same (MAX_MISORDER of RFC 3550, A.1)."""

_WRAP = 1 << 16


class ReorderBuffer:
    """Puts packets in order by their sequence numbers; what is there in time is never held back."""

    def __init__(self) -> None:
        self._source: int | None = None
        self._next = 0
        self._early: dict[int, RtpPacket] = {}

    def add(self, packet: RtpPacket) -> Iterator[RtpPacket]:
        """What can be heard now."""
        number = packet.sequence_number
        ahead, behind = (number - self._next) % _WRAP, (self._next - number) % _WRAP
        if packet.ssrc != self._source or min(ahead - LONGEST_GAP, behind - LATEST) > 0:
            self._source, self._next, self._early, ahead = packet.ssrc, number, {}, 0
        if ahead > LONGEST_GAP:
            return
        self._early[number] = packet
        if len(self._early) > PATIENCE:
            while self._next not in self._early:
                self._next = (self._next + 1) % _WRAP
        while (now := self._early.pop(self._next, None)) is not None:
            yield now
            self._next = (self._next + 1) % _WRAP
