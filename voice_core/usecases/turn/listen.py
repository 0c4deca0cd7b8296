"""Hear an utterance: nothing is spent on silence, and recognition runs while the person still speaks."""

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
"""An utterance below this is a slip of the finger."""


async def listen(
    utterance: AsyncGenerator[bytes], hints: Hints, *, stt: SpeechToText, final: Deadline
) -> AsyncGenerator[Interim | Transcript]:
    """Interims of *utterance* (mono 16-bit PCM at 16 kHz) as they come, and its Transcript last.

    *final* is started when the utterance has ended. Recognition may take as long as it likes while interims come; it
    may not be silent for longer than *final* allows.

    Raises:
        NoSpeech: nobody spoke. Recognition was not asked unless there was sound as loud as speech.
        InvalidAudio: from the utterance itself.
        StageFailed: with stage ``stt``.
    """
    async with aclosing(utterance):
        opening = await _opening(utterance)
        async with aclosing(stt.transcribe(start_at_end(_whole(opening, utterance), final), hints)) as heard:
            shown = ""
            while True:
                try:
                    item = await final.next(heard)
                except StopAsyncIteration:
                    return
                if isinstance(item, Transcript) or item.text != shown:
                    shown = item.text
                    yield item


async def _opening(utterance: AsyncIterator[bytes]) -> bytes:
    """All of the utterance up to where speech begins."""
    gate = SpeechGate()
    held = bytearray()
    async for chunk in utterance:
        held += chunk
        if gate.feed(chunk) and milliseconds(len(held), RECOGNITION_RATE) >= SHORTEST_MS:
            return bytes(held)
    raise NoSpeech("Nobody spoke in this recording. Hold the button while you speak, and speak up.", stage="stt")


async def _whole(opening: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield opening
    async for chunk in rest:
        yield chunk
