"""Speech of sentences in their order: the next one is synthesised while the current one is played."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from voice_core.domain.audio import SAMPLE_BYTES
from voice_core.ports.providers import TextToSpeech
from voice_core.text.speakable import speakable
from voice_core.usecases.resilience.deadlines import paced
from voice_core.usecases.resilience.merged_streams import MergedStreams

AHEAD = 2
"""Sentences in synthesis at once: the current one and the next."""


@dataclass(frozen=True, slots=True)
class Speech:
    """A chunk of speech: mono 16-bit PCM at 24 kHz, complete samples."""

    pcm: bytes
    sentence: str = ""
    """The sentence, on its first chunk; empty on the others."""


async def speak(
    sentences: AsyncGenerator[str], *, tts: TextToSpeech, voice: str | None, seconds: float
) -> AsyncGenerator[Speech]:
    """The speech of *sentences*, in their order; *seconds* is the deadline for each chunk.

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
                lines.append(MergedStreams(_complete_samples(paced(tts.synthesize(words, voice), "tts", seconds))))
                yield sentence, lines[-1]

    started = MergedStreams(begin())
    try:
        async for sentence, line in started:
            label = sentence
            async for pcm in line:
                yield Speech(pcm, label)
                label = ""
            free.release()
    finally:
        await started.aclose()
        await sentences.aclose()
        await asyncio.gather(*(line.aclose() for line in lines))


async def _complete_samples(chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    odd = b""
    try:
        async for chunk in chunks:
            joined = odd + chunk
            odd = joined[len(joined) - len(joined) % SAMPLE_BYTES :]
            if len(joined) >= SAMPLE_BYTES:
                yield joined[: len(joined) - len(odd)]
    finally:
        await chunks.aclose()
