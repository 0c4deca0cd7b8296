"""Puts packets into the order in which they were sent."""

from collections.abc import Iterator

from aiortc.rtp import RtpPacket

MAX_OVERTAKING = 3
"""Packets that may overtake a missing one before it is given up."""

LONGEST_GAP = 10
"""Most missing packets to wait for; a larger gap means that the sender has restarted."""

LATEST = 100
"""Most packets that a late packet may be behind; more mean that the sender has restarted (MAX_MISORDER of RFC 3550,
A.1)."""

_WRAP = 1 << 16


class ReorderBuffer:
    """Puts packets in order by their sequence numbers; a packet that arrives in order is never delayed."""

    def __init__(self) -> None:
        self._source: int | None = None
        self._next = 0
        self._early: dict[int, RtpPacket] = {}

    def add(self, packet: RtpPacket) -> Iterator[RtpPacket]:
        """The packets that are next in order, now that *packet* has arrived."""
        number = packet.sequence_number
        ahead, behind = (number - self._next) % _WRAP, (self._next - number) % _WRAP
        if packet.ssrc != self._source or min(ahead - LONGEST_GAP, behind - LATEST) > 0:
            self._source, self._next, self._early, ahead = packet.ssrc, number, {}, 0
        if ahead > LONGEST_GAP:
            return
        self._early[number] = packet
        if len(self._early) > MAX_OVERTAKING:
            while self._next not in self._early:
                self._next = (self._next + 1) % _WRAP
        while (packet_in_turn := self._early.pop(self._next, None)) is not None:
            yield packet_in_turn
            self._next = (self._next + 1) % _WRAP
