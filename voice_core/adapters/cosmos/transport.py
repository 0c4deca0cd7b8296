"""HTTP transport with a limit on the size of responses."""

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from voice_core.adapters.bounded_body import body

LONGEST_RESPONSE = 8_388_608
"""Bytes. A document has at most 2 MB and a page of a query 4 MB
(https://learn.microsoft.com/azure/cosmos-db/concepts-limits)."""

UNENCODED = {"Accept-Encoding": "identity"}
"""Request header against compression: 8 MB of gzip could be 8 GB of JSON."""


def bounded_transport() -> AioHttpTransport:
    """The SDK's transport, but with `BoundedResponse`. Call this on a running loop; the client closes the transport."""
    session = aiohttp.ClientSession(
        headers=UNENCODED,
        response_class=BoundedResponse,
        trust_env=True,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
    return AioHttpTransport(session=session)


class BoundedResponse(aiohttp.ClientResponse):
    """A response that can be read once and completely, as the SDK does."""

    async def read(self) -> bytes:
        """The body.

        Raises:
            aiohttp.ClientPayloadError: the body is compressed or too long, or breaks off.
        """
        try:
            return await self._read_bounded()
        except BaseException:
            # Close the connection: the rest of the body must not be read as its next response.
            self.close()
            raise

    async def _read_bounded(self) -> bytes:
        if self.headers.get("Content-Encoding", "identity") != "identity":
            raise aiohttp.ClientPayloadError("The body is compressed although that was not requested.")
        return await body(self, LONGEST_RESPONSE)
