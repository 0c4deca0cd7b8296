"""An utterance that can be read again, for the second of two recognisers."""

from collections.abc import AsyncGenerator

from voice_core.usecases.resilience.merged_streams import MergedStreams


class BufferedUtterance:
    """An utterance that several readers can read from its beginning, one after the other."""

    def __init__(self, utterance: AsyncGenerator[bytes]) -> None:
        # A separate task reads the utterance: a cancelled reader would otherwise end the utterance itself.
        self._rest = MergedStreams(utterance)
        self._buffer: list[bytes] = []
        self._complete = False

    async def from_start(self) -> AsyncGenerator[bytes]:
        """The buffered part of the utterance, and then the rest as it arrives."""
        for pcm in self._buffer:
            yield pcm
        if self._complete:
            return
        async for pcm in self._rest:
            self._buffer.append(pcm)
            yield pcm
        self._complete = True

    async def aclose(self) -> None:
        await self._rest.aclose()
