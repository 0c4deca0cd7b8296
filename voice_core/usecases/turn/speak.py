"""Say sentences in order, the next being made while the first is heard."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from voice_core.domain.audio import SAMPLE_BYTES
from voice_core.ports.providers import TextToSpeech
from voice_core.text.speakable import speakable
from voice_core.usecases.resilience.deadlines import paced
from voice_core.usecases.resilience.merged_streams import MergedStreams

AHEAD = 2
"""Sentences in synthesis at once: the one that is heard and the next."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Some of the speech: mono 16-bit PCM at 24 kHz, whole samples."""

    pcm: bytes
    sentence: str = ""
    """What begins to be said here, on a sentence's first chunk."""


async def speak(
    sentences: AsyncGenerator[str], *, tts: TextToSpeech, voice: str | None, seconds: float
) -> AsyncGenerator[Speech]:
    """The speech of *sentences*, in their order; *seconds* is the deadline of each chunk.

    Raises:
        InvalidInput: ``voice-unknown``.
        StageFailed: with stage ``tts``.
    """
    free = asyncio.Semaphore(AHEAD)
    lines: list[MergedStreams[bytes]] = []

    async def begin() -> AsyncGenerator[tuple[str, MergedStreams[bytes]]]:
        async for sentence in sentences:
            if words := speakable(sentence):
                await free.acquire()
                lines.append(MergedStreams(_whole_samples(paced(tts.synthesize(words, voice), "tts", seconds))))
                yield sentence, lines[-1]

    beginning = MergedStreams(begin())
    try:
        async for sentence, line in beginning:
            opening = sentence
            async for pcm in line:
                yield Speech(pcm, opening)
                opening = ""
            free.release()
    finally:
        await beginning.aclose()
        await sentences.aclose()
        await asyncio.gather(*(line.aclose() for line in lines))


async def _whole_samples(chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    odd = b""
    try:
        async for chunk in chunks:
            whole = odd + chunk
            odd = whole[len(whole) - len(whole) % SAMPLE_BYTES :]
            if len(whole) >= SAMPLE_BYTES:
                yield whole[: len(whole) - len(odd)]
    finally:
        await chunks.aclose()
