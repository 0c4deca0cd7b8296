"""Hands-free turns: endpointing finds where the user's utterances begin and end, so no button is needed."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from voice_core.audio.endpointing import Endpointer, UtteranceAudio, UtteranceStart


async def split_utterances(
    sound: AsyncGenerator[bytes], begun: Callable[[AsyncGenerator[bytes]], None], ended: Callable[[], None]
) -> None:
    """Split *sound*, mono 16-bit PCM at 16 kHz, into utterances.

    *begun* is called with each utterance as soon as it begins, and *ended* when it has ended.
    """
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
