"""Limit on the size of a response from the service."""

from collections.abc import AsyncGenerator, AsyncIterator

import httpx2

from voice_core.adapters.azure_openai.failures import STAGE
from voice_core.domain.errors import StageFailed

LONGEST_RESPONSE = 8_388_608
"""Bytes. A chunk with one token takes some hundred, so that is a reply of over 10 000 tokens, an hour of speech."""

UNENCODED = {"Accept-Encoding": "identity"}
"""Request header against compression: 8 MB of gzip could be 8 GB of text, and small chunks hardly compress."""


async def bounded(response: httpx2.Response) -> None:
    """Limit *response* to `LONGEST_RESPONSE`, whatever its status.

    Raises:
        StageFailed: the response is compressed. Reading its body raises StageFailed at the limit.
    """
    if response.headers.get("content-encoding", "identity") != "identity":
        raise StageFailed("The assistant's response is compressed.", stage=STAGE)
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _BoundedStream(response.stream)


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count, chunks = 0, self._stream.__aiter__()
        try:
            async for chunk in chunks:
                count += len(chunk)
                if count > LONGEST_RESPONSE:
                    raise StageFailed("The assistant's response is too long.", stage=STAGE)
                yield chunk
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    async def aclose(self) -> None:
        await self._stream.aclose()
