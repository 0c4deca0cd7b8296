"""The deadline of recognition, started at the end of the utterance."""

from collections.abc import AsyncGenerator, AsyncIterable

from voice_core.audio.pauses import LongestPause
from voice_core.domain.audio import RECOGNITION_RATE, seconds
from voice_core.usecases.resilience.deadlines import Deadline


async def start_at_end(utterance: AsyncIterable[bytes], deadline: Deadline) -> AsyncGenerator[bytes]:
    """*utterance* (mono 16-bit PCM at 16 kHz); starts the *deadline* of its recognition when it ends."""
    size, pause = 0, LongestPause()
    async for pcm in utterance:
        size += len(pcm)
        pause.feed(pcm)
        yield pcm
    deadline.start(seconds(size, RECOGNITION_RATE), pause.seconds)
