"""Turns without a button: whoever speaks is heard, and whoever stops is answered."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from voice_core.audio.endpointing import Endpointer, UtteranceAudio, UtteranceStart


async def split_utterances(
    sound: AsyncGenerator[bytes], begun: Callable[[AsyncGenerator[bytes]], None], ended: Callable[[], None]
) -> None:
    """Cut *sound*, mono 16-bit PCM at 16 kHz, into utterances; each is given when it has *begun*."""
    endpointer = Endpointer()
    utterance: asyncio.Queue[bytes | None] = asyncio.Queue()
    try:
        async with aclosing(sound):
            async for pcm in sound:
                for event in endpointer.feed(pcm):
                    match event:
                        case UtteranceStart(opening):
                            utterance = asyncio.Queue()
                            utterance.put_nowait(opening)
                            begun(_queued(utterance))
                        case UtteranceAudio(more):
                            utterance.put_nowait(more)
                        case _:
                            utterance.put_nowait(None)
                            ended()
    finally:
        utterance.put_nowait(None)


async def _queued(pieces: asyncio.Queue[bytes | None]) -> AsyncGenerator[bytes]:
    while (piece := await pieces.get()) is not None:
        yield piece
