"""The rest of a turn for a client that has received a part of it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from voice_core.domain.audio import SAMPLE_BYTES
from voice_core.domain.events import Event, ReplyDelta, ReplyRestarted, SpeechDelta
from voice_core.domain.position import Position


async def resume(
    events: AsyncGenerator[Event], received: Position, *, reply: str = "", skipped_sentences: int = 0
) -> AsyncGenerator[Event]:
    """*events*, a complete turn, without the words and the speech that the client has *received*.

    When the client's words are not in the reply, the reply has started over, which is reported, and all of it follows.

    Args:
        reply: all words that exist so far; if empty, the first ReplyDelta has them.
        skipped_sentences: spoken sentences at the beginning that have no events.
    """
    left, began, here = received, False, Position(sentences=skipped_sentences)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, ReplyDelta) and not began:
                began = True
                if not received.is_in(reply or event.text):
                    left = Position()
                    yield ReplyRestarted()
            before, here = here, here.after(event)
            if (rest := _rest(event, before, here, left)) is not None:
                yield rest


def _rest(event: Event, before: Position, here: Position, left: Position) -> Event | None:
    """The part of *event* that the client has not received; it leads from *before* to *here*."""
    match event:
        case ReplyDelta() if here.characters <= left.characters:
            return None
        case ReplyDelta(text):
            return ReplyDelta(text[max(0, left.characters - before.characters) :])
        case SpeechDelta() if here.sentences < left.sentences:
            return None
        case SpeechDelta(pcm) if here.sentences == left.sentences:
            begin = 0 if event.sentence else before.samples
            unheard = pcm[max(0, left.samples - begin) * SAMPLE_BYTES :]
            # The sentence is labelled where it begins, and that has been received.
            return replace(event, pcm=unheard, sentence="") if unheard else None
        case _:
            return event
