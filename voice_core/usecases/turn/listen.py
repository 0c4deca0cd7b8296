"""Recognition of one utterance: silence costs nothing, and recognition runs while the user still speaks."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from voice_core.audio.speech_gate import SpeechGate
from voice_core.domain.audio import RECOGNITION_RATE, milliseconds
from voice_core.domain.errors import NoSpeech
from voice_core.domain.speech import Hints, Interim, Transcript
from voice_core.ports.providers import SpeechToText
from voice_core.usecases.resilience.deadlines import Deadline
from voice_core.usecases.resilience.utterance_deadline import start_at_end

SHORTEST_MS = 100
"""A shorter utterance is taken for an accidental press of the button."""


async def listen(
    utterance: AsyncGenerator[bytes], hints: Hints, *, stt: SpeechToText, final: Deadline
) -> AsyncGenerator[Interim | Transcript]:
    """Interims of *utterance* (mono 16-bit PCM at 16 kHz) as they arrive, then its Transcript.

    *final* starts when the utterance has ended. From then on recognition may not be silent for longer than *final*
    allows; before that there is no limit.

    Raises:
        NoSpeech: no sound in *utterance* is as loud as speech. Recognition is called only when there is such sound.
        InvalidAudio: from the utterance itself.
        StageFailed: with stage ``stt``.
    """
    async with aclosing(utterance):
        opening = await _opening(utterance)
        async with aclosing(stt.transcribe(start_at_end(_complete(opening, utterance), final), hints)) as results:
            latest = ""
            while True:
                try:
                    item = await final.next(results)
                except StopAsyncIteration:
                    return
                if isinstance(item, Transcript) or item.text != latest:
                    latest = item.text
                    yield item


async def _opening(utterance: AsyncIterator[bytes]) -> bytes:
    """All of the utterance up to where speech begins."""
    gate = SpeechGate()
    opening = bytearray()
    async for chunk in utterance:
        opening += chunk
        if gate.feed(chunk) and milliseconds(len(opening), RECOGNITION_RATE) >= SHORTEST_MS:
            return bytes(opening)
    raise NoSpeech("No speech in this recording. Hold the button while you speak, and speak up.", stage="stt")


async def _complete(opening: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield opening
    async for chunk in rest:
        yield chunk
