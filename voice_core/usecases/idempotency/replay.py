"""Replay a stored turn: the same words, and its speech from storage or synthesised again."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from voice_core import telemetry
from voice_core.domain.audio import SPEECH_RATE, milliseconds
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import NotFound, StageFailed
from voice_core.domain.events import Event, ReplyDelta, ReplyDone, SpeechDone, TranscriptDone, TurnCreated, TurnDone
from voice_core.domain.position import Position
from voice_core.domain.speech import SpeechName, Transcript
from voice_core.ports.clips import Speeches
from voice_core.text.speakable import speakable
from voice_core.usecases.idempotency.resume import resume
from voice_core.usecases.speech_file.fetch_speech import find_speech
from voice_core.usecases.speech_file.save_speech import without_audio
from voice_core.usecases.turn.read_aloud import sentences
from voice_core.usecases.turn.reply import speech_events
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.services import TurnServices
from voice_core.usecases.turn.speak import Speech, speak


async def replay(turn: Turn, request: TurnRequest, services: TurnServices, received: Position) -> AsyncGenerator[Event]:
    """The events of *turn* that the client has not *received*, with speech synthesised again as *request* specifies.

    Recognition and the assistant are not called. When synthesis fails now, the turn is marked as ``speech`` degraded;
    when it failed the first time, it may succeed now.
    """
    speech = None
    skipped = max(0, received.sentences - 1) if received.is_in(turn.reply) else 0
    if request.aloud:
        lines = _spoken_after(skipped, turn.reply)
        speech = speak(lines, tts=services.tts, voice=request.voice, seconds=services.deadlines.tts)
    async with aclosing(resume(_events(turn, speech), received, skipped_sentences=skipped)) as events:
        async for event in events:
            yield event


async def _spoken_after(skipped: int, reply: str) -> AsyncGenerator[str]:
    """The sentences of *reply* that are spoken, without the first *skipped*."""
    number = 0
    async for sentence in sentences(reply):
        if speakable(sentence):
            number += 1
            if number > skipped:
                yield sentence


async def replay_without_audio(
    turn: Turn,
    request: TurnRequest,
    services: TurnServices,
    speeches: Speeches,
    received: Position,
    *,
    keep_hours: float,
) -> AsyncGenerator[Event]:
    """The events of *turn* that the client has not *received*, without its audio.

    The speech is synthesised and stored again only if it is missing.

    If the conversation is deleted meanwhile, the speech is deleted again.
    """
    name = SpeechName(request.user_id, turn.conversation_id, turn.id)
    duration_ms = await _stored_ms(name, speeches, keep_hours)
    events = (
        _events(turn, None, duration_ms)
        if duration_ms
        else without_audio(replay(turn, request, services, Position()), name, speeches)
    )
    async with aclosing(resume(events, received)) as unreceived:
        async for event in unreceived:
            yield event
    if not duration_ms:
        try:
            await services.conversations.turn(name.user_id, name.conversation_id, name.turn_id)
        except NotFound:
            await speeches.delete(name.user_id, name.conversation_id, name.turn_id)


async def _stored_ms(name: SpeechName, speeches: Speeches, keep_hours: float) -> int:
    """Length of the complete stored speech in milliseconds; 0 when there is none."""
    try:
        speech = await find_speech(name, speeches, keep_hours=keep_hours)
    except (NotFound, StageFailed):
        return 0
    return milliseconds(speech.pcm_bytes, SPEECH_RATE) if speech.complete else 0


async def _events(turn: Turn, speech: AsyncGenerator[Speech] | None, duration_ms: int = 0) -> AsyncGenerator[Event]:
    """The events of *turn* with *speech*, or with a stored speech of *duration_ms*."""
    yield TurnCreated(turn.id, turn.conversation_id, replayed=True)
    if turn.spoken:
        yield TranscriptDone(Transcript(turn.transcript, turn.language, turn.confidence, turn.utterance_ms))
    yield ReplyDelta(turn.reply)
    yield ReplyDone(turn.reply)
    failures: list[StageFailed] = []
    if speech is not None:
        async with aclosing(speech_events(speech, failures.append)) as sound:
            async for piece in sound:
                yield piece
    elif duration_ms:
        yield SpeechDone(duration_ms)
    for error in failures:
        telemetry.event("degraded", {"turn": turn.id, "part": "speech", **telemetry.reason(error)})
    others = tuple(part for part in turn.degraded if part != "speech")
    yield TurnDone(replace(turn, degraded=(*others, "speech") if failures else others))
