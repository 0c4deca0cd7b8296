"""Limits on the SCTP packets (RFC 9260) that reach aiortc, whose work for a packet grows with what it holds."""

import asyncio
from collections.abc import Callable, Iterator

from aiortc import RTCSctpTransport

from voice_core.domain.token_bucket import TokenBucket

CHUNKS_PER_SECOND = 250
CHUNKS_AT_ONCE = 1000

WINDOW = 256
"""How many chunks a chunk of data may be ahead of the first missing one. Those beyond are dropped, as if they were
lost; the client sends them again. The largest message has 64."""

MAX_HELD = 2 * WINDOW
"""Most chunks that are held for incomplete messages, or because an earlier one is missing."""

MAX_STREAMS = 32
"""Most streams that a client may use: its first data channel is one."""

MAX_ACKNOWLEDGED = 4096
"""Most chunks that one packet may acknowledge out of order."""

_MAX_PARAMETERS = 16
_HEADER, _CHUNK_HEADER = 12, 4
_DATA, _INIT, _INIT_ACK, _SACK, _FORWARD_TSN = 0, 1, 2, 3, 192
_PARAMETERS_AT = {_INIT: 16, _INIT_ACK: 16, 4: 0, 5: 0, 6: 0, 9: 0, 130: 0}
"""Where the parameters of a chunk begin, by type: INIT, INIT ACK, HEARTBEAT, HEARTBEAT ACK, ABORT, ERROR, RE-CONFIG."""
_TSNS = 1 << 32

Chunk = tuple[int, bytes]
"""Type and body."""


class SctpLimit:
    """Drops packets that are invalid or too many before *sctp* receives them.

    *on_excess* is called when the client has made us hold more than it may, or when *sctp* fails at a packet.
    """

    def __init__(self, sctp: RTCSctpTransport, on_excess: Callable[[], None]) -> None:
        self._sctp = sctp
        self._on_excess = on_excess
        self._bucket = TokenBucket(CHUNKS_PER_SECOND, CHUNKS_AT_ONCE)
        self._handle = sctp._handle_data
        vars(sctp)["_handle_data"] = self._received

    def stop(self) -> None:
        vars(self._sctp).pop("_handle_data", None)

    async def _received(self, packet: bytes) -> None:
        if not self._passes(packet):
            return
        try:
            await self._handle(packet)
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 - aiortc's parser and state machine raise many types at a client's bytes
            self._on_excess()
        if self._is_over():
            self._on_excess()

    def _is_over(self) -> bool:
        """Whether *sctp* holds more than a client may make it hold."""
        sctp = self._sctp
        held = sum(len(stream.reassembly) for stream in sctp._inbound_streams.values())
        return sctp._advertised_rwnd < 0 or max(held, len(sctp._sack_misordered)) > MAX_HELD

    def _passes(self, packet: bytes) -> bool:
        try:
            chunks = list(_chunks(packet))
        except ValueError:
            return False
        if not self._bucket.take(asyncio.get_running_loop().time(), len(chunks)):
            return False
        if len(chunks) > 1 and any(kind == _INIT for kind, _ in chunks):
            return False
        return all(self._is_valid(kind, body) for kind, body in chunks)

    def _is_valid(self, kind: int, body: bytes) -> bool:
        if kind == _DATA:
            return len(body) > 12 and self._knows(_short(body, 4)) and self._in_window(_long(body, 0))
        if kind == _SACK:
            return _is_sack(body)
        if kind == _FORWARD_TSN:
            streams = [_short(body, at) for at in range(4, len(body), 4)]
            return len(body) >= 4 and not len(body) % 4 and self._knows(*streams)
        return kind not in _PARAMETERS_AT or _has_parameters(body, _PARAMETERS_AT[kind])

    def _knows(self, *streams: int) -> bool:
        """Whether *streams* are known, or not too many."""
        known = self._sctp._inbound_streams
        return len(known) + len(set(streams).difference(known)) <= MAX_STREAMS

    def _in_window(self, tsn: int) -> bool:
        latest = self._sctp._last_received_tsn
        if latest is None:
            return False
        ahead = (tsn - latest) % _TSNS
        return ahead <= WINDOW or ahead >= _TSNS // 2


def _chunks(packet: bytes) -> Iterator[Chunk]:
    at = _HEADER
    while at + _CHUNK_HEADER <= len(packet):
        length = _short(packet, at + 2)
        if length < _CHUNK_HEADER or at + length > len(packet):
            raise ValueError("The chunk's length is invalid.")
        yield packet[at], packet[at + _CHUNK_HEADER : at + length]
        at += length + -length % 4


def _has_parameters(body: bytes, at: int) -> bool:
    """Whether parameters begin in *body* at *at*, few and each at least as long as its header.

    aiortc (1.16) never gets past a parameter whose length is 0.
    """
    if len(body) < at:
        return False
    count = 0
    while at + 4 <= len(body):
        length = _short(body, at + 2)
        count += 1
        if length < 4 or count > _MAX_PARAMETERS:
            return False
        at += length + -length % 4
    return True


def _is_sack(body: bytes) -> bool:
    if len(body) < 12:
        return False
    gaps, duplicates = _short(body, 8), _short(body, 10)
    if len(body) < 12 + 4 * (gaps + duplicates):
        return False
    blocks = [(_short(body, at), _short(body, at + 2)) for at in range(12, 12 + 4 * gaps, 4)]
    return all(first <= last for first, last in blocks) and sum(1 + b - a for a, b in blocks) <= MAX_ACKNOWLEDGED


def _short(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _long(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
