"""Hear an utterance, and nothing more."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from voice_core.domain.errors import NoSpeech
from voice_core.domain.speech import Hints, Transcript
from voice_core.usecases.resilience.deadlines import Deadline
from voice_core.usecases.turn.listen import listen
from voice_core.usecases.turn.services import TurnServices


async def transcribe(utterance: AsyncGenerator[bytes], hints: Hints, services: TurnServices) -> Transcript:
    """The Transcript of *utterance*, mono 16-bit PCM at 16 kHz; raises as `listen` does."""
    final = Deadline("stt", services.deadlines.stt)
    async with aclosing(listen(utterance, hints, stt=services.stt, final=final)) as heard:
        async for item in heard:
            if isinstance(item, Transcript):
                return item
    raise NoSpeech("Nobody spoke in this recording.", stage="stt")
