"""All DTLS records of a datagram, not only the first."""

from aiortc import RTCDtlsTransport
from OpenSSL import SSL

LONGEST_RECORD = 1500


class DtlsRecords:
    """Reads what aiortc leaves over: of each datagram it reads one record, and OpenSSL holds the others."""

    def __init__(self, transport: RTCDtlsTransport) -> None:
        self._transport = transport
        self._receive_next = transport._recv_next
        vars(transport)["_recv_next"] = self._receive

    def stop(self) -> None:
        vars(self._transport).pop("_recv_next", None)

    async def _receive(self) -> None:
        await self._receive_next()
        while self._transport.encrypted and (data := self._read()):
            if self._transport._data_receiver is not None:
                await self._transport._data_receiver._handle_data(data)

    def _read(self) -> bytes:
        """The next record's content; empty when there is none. Raises ConnectionError if the client has closed."""
        connection = self._transport._ssl
        if connection is None:
            return b""
        try:
            return bytes(connection.recv(LONGEST_RECORD))
        except SSL.ZeroReturnError as error:
            raise ConnectionError("The client closed the connection.") from error
        except SSL.Error:
            return b""
