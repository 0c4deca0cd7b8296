"""HTTP response bodies, read up to a limit."""

from aiohttp import ClientPayloadError, ClientResponse


async def body(response: ClientResponse, longest: int) -> bytes:
    """The complete body of *response*, at most *longest* bytes; decompressed if the session decompresses.

    Raises:
        ClientPayloadError: the body is longer; aiohttp raises the same for one that breaks off.
    """
    data = bytearray()
    async for piece in response.content.iter_any():
        data += piece
        if len(data) > longest:
            raise ClientPayloadError("The body is too long.")
    return bytes(data)
