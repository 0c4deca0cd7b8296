"""Transcription of one utterance, without a reply."""

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
    async with aclosing(listen(utterance, hints, stt=services.stt, final=final)) as results:
        async for item in results:
            if isinstance(item, Transcript):
                return item
    raise NoSpeech("No speech in this recording.", stage="stt")
