"""Datagrams of a connection's sockets, before ICE receives them."""

import asyncio
import contextlib
import struct
from collections.abc import Callable
from typing import Any

from aiortc import RTCIceTransport

from voice_core.domain.token_bucket import TokenBucket

PACKETS_PER_SECOND = 250
"""Five times the packets of a client that sends 20 ms of sound in each."""

PACKETS_AT_ONCE = 1000
"""As many as arrive together after an outage of some 15 s, as a relay over TCP delivers them."""

MAX_DROPPED = 5000
"""Packets beyond that rate after which the connection is closed: receiving them is work too."""

MAX_SOURCES = 32
"""Most addresses from which a client's connectivity checks are heeded: each becomes a candidate, and is checked."""

_STUN = 4
"""First bytes below this are STUN's (RFC 7983, 7)."""


class DatagramTap:
    """Calls *passes* with each datagram and its sender's address; what it returns False for goes no further."""

    def __init__(self, passes: Callable[[bytes, Any], bool]) -> None:
        self._passes = passes
        self._tapped: list[asyncio.DatagramProtocol] = []

    def follow(self, transport: RTCIceTransport) -> None:
        """Begin with *transport*. Its candidates must have been gathered: before that, it has no sockets."""
        for protocol in transport._connection._protocols:
            self._tap(protocol)

    def stop(self) -> None:
        # Otherwise the reference cycles would live until the garbage collector runs.
        while self._tapped:
            vars(self._tapped.pop()).pop("datagram_received", None)

    def _tap(self, protocol: asyncio.DatagramProtocol) -> None:
        take = protocol.datagram_received

        def received(data: bytes, address: Any) -> None:
            if self._passes(data, address):
                # aioice (0.13) raises these at STUN attributes of a wrong length; the event loop would log each.
                with contextlib.suppress(struct.error, IndexError):
                    take(data, address)

        vars(protocol)["datagram_received"] = received
        self._tapped.append(protocol)


class DatagramLimit:
    """Limits the packets of one client, and the addresses that it sends its checks from.

    *on_flood* is called for each packet after `MAX_DROPPED` were dropped.
    """

    def __init__(self, on_flood: Callable[[], None]) -> None:
        self._on_flood = on_flood
        self._bucket = TokenBucket(PACKETS_PER_SECOND, PACKETS_AT_ONCE)
        self._dropped = 0
        self._sources: set[tuple[str, int]] = set()
        self._name = b""
        self._tap = DatagramTap(self._passes)

    def follow(self, transport: RTCIceTransport) -> None:
        """Begin with *transport*, whose candidates must have been gathered."""
        self._name = f"{transport._connection.local_username}:".encode()
        self._tap.follow(transport)

    def stop(self) -> None:
        self._tap.stop()

    def _passes(self, data: bytes, address: Any) -> bool:
        if not self._bucket.take(asyncio.get_running_loop().time()):
            self._dropped += 1
            if self._dropped > MAX_DROPPED:
                self._on_flood()
            return False
        # aiortc (1.16) does not expect a datagram without bytes.
        return bool(data) and (data[0] >= _STUN or self._heeds(data, address[:2]))

    def _heeds(self, data: bytes, source: tuple[str, int]) -> bool:
        if source in self._sources or self._name not in data:
            return True
        if len(self._sources) >= MAX_SOURCES:
            return False
        self._sources.add(source)
        return True
