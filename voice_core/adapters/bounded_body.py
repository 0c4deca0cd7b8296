"""What of an answer is read."""

from aiohttp import ClientPayloadError, ClientResponse


async def body(response: ClientResponse, longest: int) -> bytes:
    """All of it, if that is no more than *longest* bytes; unpacked where the session unpacks.

    Raises:
        ClientPayloadError: as of one that breaks off; it is longer.
    """
    data = bytearray()
    async for piece in response.content.iter_any():
        data += piece
        if len(data) > longest:
            raise ClientPayloadError("It does not end.")
    return bytes(data)
