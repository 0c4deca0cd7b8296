"""The reply of a turn and its speech: each sentence is synthesised while the assistant writes the next."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from voice_core.domain.audio import SPEECH_RATE, milliseconds
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import StageFailed
from voice_core.domain.events import ReplyDelta, ReplyDone, SpeechDelta, SpeechDone
from voice_core.text.sentences import Sentences
from voice_core.usecases.resilience.merged_streams import MergedStreams
from voice_core.usecases.turn.record import TurnRecord
from voice_core.usecases.turn.reply_words import reply_words
from voice_core.usecases.turn.request import TurnJournal, TurnRequest
from voice_core.usecases.turn.services import TurnServices
from voice_core.usecases.turn.speak import Speech, speak

ReplyEvent = ReplyDelta | ReplyDone | SpeechDelta | SpeechDone


async def reply(
    record: TurnRecord, history: Sequence[Turn], request: TurnRequest, services: TurnServices
) -> AsyncGenerator[ReplyEvent]:
    """The events of the reply and, if the request wants it aloud, of its speech, as they are produced.

    When synthesis fails, the record is degraded by ``speech``, and the text goes on.

    Raises:
        ReplyRefused: by the content filter.
        StageFailed: with stage ``assistant``.
    """
    sentences: asyncio.Queue[str | None] = asyncio.Queue()
    journal = request.journal
    streams = [_write(record, _words(record, history, request, services), sentences, journal)]
    if request.aloud:
        speech = speak(_queued(sentences), tts=services.tts, voice=request.voice, seconds=services.deadlines.tts)
        streams.append(speech_events(speech, lambda error: record.degrade("speech", error)))
    merged = MergedStreams(*streams)
    try:
        async for event in merged:
            yield event
    finally:
        await merged.aclose()


async def _words(
    record: TurnRecord, history: Sequence[Turn], request: TurnRequest, services: TurnServices
) -> AsyncGenerator[str]:
    """The words of the reply, as the assistant writes them; a reply in the journal is not written again."""
    if request.journal and (found := request.journal.found.reply) is not None:
        yield found
        return
    async with aclosing(reply_words(record.words, history, services)) as words:
        async for text in words:
            yield text


async def _write(
    record: TurnRecord,
    words: AsyncGenerator[str],
    sentences: asyncio.Queue[str | None],
    journal: TurnJournal | None,
) -> AsyncGenerator[ReplyEvent]:
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
    if journal and journal.found.reply is None:
        await journal.add_round(reply)
    yield ReplyDone(reply)


async def speech_events(
    speech: AsyncGenerator[Speech], failed: Callable[[StageFailed], None]
) -> AsyncGenerator[SpeechDelta | SpeechDone]:
    """The events of *speech*. When it fails, *failed* is called, and the speech so far ends with its usual event."""
    seq = spoken_bytes = 0
    try:
        async with aclosing(speech):
            async for piece in speech:
                yield SpeechDelta(piece.pcm, seq, piece.sentence)
                seq, spoken_bytes = seq + 1, spoken_bytes + len(piece.pcm)
    except StageFailed as error:
        failed(error)
    if spoken_bytes:
        yield SpeechDone(milliseconds(spoken_bytes, SPEECH_RATE))


async def _queued(sentences: asyncio.Queue[str | None]) -> AsyncGenerator[str]:
    while (sentence := await sentences.get()) is not None:
        yield sentence
