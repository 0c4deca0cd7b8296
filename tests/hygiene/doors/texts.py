"""Doors of text: streams of a model, texts to read aloud, transcripts."""

from contextlib import aclosing

from emulators.script import Step
from tests.hygiene.doors.resources import Resources
from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.model_stream import model_stream
from tests.hygiene.structure.transcripts import transcript
from tests.hygiene.structure.written_text import written_text
from voice_core.adapters.azure_speech.ssml import ssml
from voice_core.text.captions import plain_text, webvtt
from voice_core.text.sentences import Sentences
from voice_core.text.speakable import speakable

VOICE = "en-US-AvaMultilingualNeural"


async def reply(draw: Draw, resources: Resources) -> str:
    """A model's stream, through the SDK over a socket, cut into sentences that are spoken."""
    body = model_stream(draw).encode("utf-8", "replace").decode()
    resources.openai.add("chat", Step(body=body))
    sentences, spoken = Sentences(), 0
    async with aclosing(resources.assistant.reply("Hello.", ())) as pieces:
        async for piece in pieces:
            spoken += sum(map(_spoken, sentences.feed(piece)))
    spoken += sum(map(_spoken, sentences.finish()))
    return "spoken" if spoken else "unspoken"


async def text(draw: Draw, _: Resources) -> str:
    """A text that a user wants spoken; it arrives in pieces of any size."""
    written, sentences = written_text(draw), Sentences()
    step, complete = draw.choice((1, 7, 10**6)), []
    for start in range(0, len(written), step):
        complete += sentences.feed(written[start : start + step])
    return "spoken" if sum(map(_spoken, [*complete, *sentences.finish()])) else "unspoken"


def _spoken(sentence: str) -> int:
    words = speakable(sentence)
    return len(ssml(words, VOICE)) if words else 0


async def captions(draw: Draw, _: Resources) -> str:
    phrases = transcript(draw)
    plain_text(phrases).encode("utf-8", "replace")
    webvtt(phrases)
    return "written"
