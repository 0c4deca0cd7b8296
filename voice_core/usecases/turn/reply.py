"""Reply to what was said, aloud: each sentence is spoken while the next is being written."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from voice_core.domain.audio import SPEECH_RATE, milliseconds
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import StageFailed
from voice_core.domain.events import ReplyDelta, ReplyDone, SpeechDelta, SpeechDone
from voice_core.text.sentences import Sentences
from voice_core.usecases.resilience.deadlines import paced
from voice_core.usecases.resilience.merged_streams import MergedStreams
from voice_core.usecases.turn.record import TurnRecord
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.services import TurnServices
from voice_core.usecases.turn.speak import Speech, speak

Answering = ReplyDelta | ReplyDone | SpeechDelta | SpeechDone


async def reply(
    record: TurnRecord, history: Sequence[Turn], request: TurnRequest, services: TurnServices
) -> AsyncGenerator[Answering]:
    """The reply and, where it is wanted aloud, its speech, both as they are made.

    Speech that fails is noted in the draft as ``speech`` degraded; the text goes on.

    Raises:
        ReplyRefused: by the content filter.
        StageFailed: with stage ``assistant``.
    """
    sentences: asyncio.Queue[str | None] = asyncio.Queue()
    words = paced(services.assistant.reply(record.words, history), "assistant", services.deadlines.assistant)
    making = [_write(record, words, sentences)]
    if request.aloud:
        speech = speak(_queued(sentences), tts=services.tts, voice=request.voice, seconds=services.deadlines.tts)
        making.append(spoken(speech, lambda error: record.degrade("speech", error)))
    pieces = MergedStreams(*making)
    try:
        async for piece in pieces:
            yield piece
    finally:
        await pieces.aclose()


async def _write(
    record: TurnRecord, words: AsyncGenerator[str], sentences: asyncio.Queue[str | None]
) -> AsyncGenerator[Answering]:
    splitter, reply = Sentences(), ""
    async with aclosing(words):
        async for text in words:
            reply += text
            for sentence in splitter.feed(text):
                record.mark("sentence")
                sentences.put_nowait(sentence)
            yield ReplyDelta(text)
    for sentence in splitter.finish():
        record.mark("sentence")
        sentences.put_nowait(sentence)
    sentences.put_nowait(None)
    yield ReplyDone(reply)


async def spoken(
    speech: AsyncGenerator[Speech], lost: Callable[[StageFailed], None]
) -> AsyncGenerator[SpeechDelta | SpeechDone]:
    """The events of *speech*; when it fails, *lost* is told, and what there was of it ends as usual."""
    seq = spoken_bytes = 0
    try:
        async with aclosing(speech):
            async for piece in speech:
                yield SpeechDelta(piece.pcm, seq, piece.sentence)
                seq, spoken_bytes = seq + 1, spoken_bytes + len(piece.pcm)
    except StageFailed as error:
        lost(error)
    if spoken_bytes:
        yield SpeechDone(milliseconds(spoken_bytes, SPEECH_RATE))


async def _queued(sentences: asyncio.Queue[str | None]) -> AsyncGenerator[str]:
    while (sentence := await sentences.get()) is not None:
        yield sentence
