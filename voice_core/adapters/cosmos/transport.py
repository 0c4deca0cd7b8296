"""The way to the service, on which no answer fills the memory."""

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from voice_core.adapters.bounded_body import body

LONGEST_ANSWER = 8_388_608
"""Bytes. A document has 2 MB at the most and a page of a query 4 MB
(https://learn.microsoft.com/azure/cosmos-db/concepts-limits)."""

UNPACKED = {"Accept-Encoding": "identity"}
"""How it is asked for: 8 MB of gzip could be 8 GB of JSON."""


def bounded_transport() -> AioHttpTransport:
    """As the SDK makes its own, but for what it takes; to be called on a running loop, and closed with its client."""
    session = aiohttp.ClientSession(
        headers=UNPACKED,
        response_class=BoundedResponse,
        trust_env=True,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
    return AioHttpTransport(session=session)


class BoundedResponse(aiohttp.ClientResponse):
    """An answer that may be read once, all of it, as the SDK does."""

    async def read(self) -> bytes:
        """Its body.

        Raises:
            aiohttp.ClientPayloadError: as of one that breaks off; it is packed or too long.
        """
        try:
            return await self._whole()
        except BaseException:
            # What is left of it must not be the next answer on this connection.
            self.close()
            raise

    async def _whole(self) -> bytes:
        if self.headers.get("Content-Encoding", "identity") != "identity":
            raise aiohttp.ClientPayloadError("It is packed, which was not asked for.")
        return await body(self, LONGEST_ANSWER)
