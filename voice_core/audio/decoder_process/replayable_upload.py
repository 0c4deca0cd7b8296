"""An upload that can be read again while nothing of it has been heard."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable


class ReplayableUpload:
    """Chunks of an upload, kept until `release`. A reader that stops in the middle of a chunk loses nothing."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._source = aiter(chunks)
        self._arriving: asyncio.Future[bytes | None] | None = None
        self._kept: list[bytes] = []
        self.released = False
        """Whether the upload can no longer be read from its beginning."""

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The upload from its beginning. Errors of the source are passed on. One reader at a time."""
        for kept in self._kept.copy():
            yield kept
        while (chunk := await self._next()) is not None:
            yield chunk

    def release(self) -> None:
        """Keep no more chunks: the upload will not be read again."""
        self.released = True
        self._kept.clear()

    async def aclose(self) -> None:
        """Stop waiting for the source."""
        self.release()
        if self._arriving is not None:
            self._arriving.cancel()
            await asyncio.gather(self._arriving, return_exceptions=True)

    async def _next(self) -> bytes | None:
        """The next chunk of the source; None at its end. A cancelled call leaves the chunk to the next call."""
        if self._arriving is None:
            self._arriving = asyncio.ensure_future(anext(self._source, None))
        chunk = await asyncio.shield(self._arriving)
        if chunk is not None:
            self._arriving = None
            if not self.released:
                self._kept.append(chunk)
        return chunk
