"""Speech of a given text, without a turn."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from voice_core.domain.errors import InvalidInput
from voice_core.text.sentences import Sentences
from voice_core.usecases.turn.services import TurnServices
from voice_core.usecases.turn.speak import speak


async def read_aloud(text: str, voice: str | None, services: TurnServices) -> AsyncGenerator[bytes]:
    """The speech of *text*, mono 16-bit PCM at 24 kHz, as it is synthesised.

    Raises:
        InvalidInput: ``voice-unknown``, or ``text-unspeakable`` when nothing in *text* can be spoken.
        StageFailed: with stage ``tts``.
    """
    spoken = False
    speech = speak(sentences(text), tts=services.tts, voice=voice, seconds=services.deadlines.tts)
    async with aclosing(speech):
        async for piece in speech:
            spoken = True
            yield piece.pcm
    if not spoken:
        raise InvalidInput("Nothing in this text can be spoken.", code="text-unspeakable")


async def sentences(text: str) -> AsyncGenerator[str]:
    """The sentences of *text*, in order."""
    splitter = Sentences()
    for sentence in [*splitter.feed(text), *splitter.finish()]:
        yield sentence
