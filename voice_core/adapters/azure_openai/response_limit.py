"""What one answer of the service may cost us."""

from collections.abc import AsyncGenerator, AsyncIterator

import httpx2

from voice_core.adapters.azure_openai.failures import STAGE
from voice_core.domain.errors import StageFailed

LONGEST_ANSWER = 8_388_608
"""Bytes. A chunk of a token takes some hundred, so this is a reply of more than 10 000 tokens, an hour of speech."""

UNENCODED = {"Accept-Encoding": "identity"}
"""How it is asked for: 8 MB of gzip could be 8 GB of text, and chunks of some bytes are not worth packing."""


async def bounded(response: httpx2.Response) -> None:
    """Have *response* end at LONGEST_ANSWER, whatever its status.

    Raises:
        StageFailed: it is encoded; and later, to whoever reads it, that it does not end.
    """
    if response.headers.get("content-encoding", "identity") != "identity":
        raise StageFailed("The assistant's answer is packed.", stage=STAGE)
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Bounded(response.stream)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count, chunks = 0, self._stream.__aiter__()
        try:
            async for chunk in chunks:
                count += len(chunk)
                if count > LONGEST_ANSWER:
                    raise StageFailed("The assistant's answer does not end.", stage=STAGE)
                yield chunk
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    async def aclose(self) -> None:
        await self._stream.aclose()
