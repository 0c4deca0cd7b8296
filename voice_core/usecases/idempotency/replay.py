"""Tell a turn again that was taken before: the same words, and its speech as it was kept or spoken once more."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from voice_core import telemetry
from voice_core.domain.audio import SPEECH_RATE, milliseconds
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import NotFound, StageFailed
from voice_core.domain.events import Event, ReplyDelta, ReplyDone, SpeechDone, TranscriptDone, TurnCreated, TurnDone
from voice_core.domain.speech import SpeechName, Transcript
from voice_core.ports.clips import Speeches
from voice_core.usecases.speech_file.fetch_speech import find_speech
from voice_core.usecases.speech_file.save_speech import kept
from voice_core.usecases.turn.read_aloud import sentences
from voice_core.usecases.turn.reply import spoken
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.services import TurnServices
from voice_core.usecases.turn.speak import Speech, speak


async def replay(turn: Turn, request: TurnRequest, services: TurnServices) -> AsyncGenerator[Event]:
    """The events of *turn*, its speech synthesised again as *request* wants it now; nothing is heard or answered anew.

    Speech that fails is noted as ``speech`` degraded, and speech that failed then may succeed now.
    """
    speech = None
    if request.aloud:
        lines = sentences(turn.reply)
        speech = speak(lines, tts=services.tts, voice=request.voice, seconds=services.deadlines.tts)
    async with aclosing(_told(turn, speech)) as events:
        async for event in events:
            yield event


async def replay_kept(
    turn: Turn, request: TurnRequest, services: TurnServices, speeches: Speeches, *, keep_hours: float
) -> AsyncGenerator[Event]:
    """The same without its sound, which is kept where it was; only where it is no more, it is made and kept again."""
    name = SpeechName(request.user_id, turn.conversation_id, turn.id)
    duration_ms = await _kept_ms(name, speeches, keep_hours)
    events = _told(turn, None, duration_ms) if duration_ms else kept(replay(turn, request, services), name, speeches)
    async with aclosing(events):
        async for event in events:
            yield event


async def _kept_ms(name: SpeechName, speeches: Speeches, keep_hours: float) -> int:
    """How long the whole speech is; 0 when it is not there."""
    try:
        speech = await find_speech(name, speeches, keep_hours=keep_hours)
    except (NotFound, StageFailed):
        return 0
    return milliseconds(speech.pcm_bytes, SPEECH_RATE) if speech.complete else 0


async def _told(turn: Turn, speech: AsyncGenerator[Speech] | None, duration_ms: int = 0) -> AsyncGenerator[Event]:
    """The events of *turn* with *speech*, or with that it lasts *duration_ms*."""
    yield TurnCreated(turn.id, turn.conversation_id, replayed=True)
    if turn.spoken:
        yield TranscriptDone(Transcript(turn.transcript, turn.language, turn.confidence, turn.utterance_ms))
    yield ReplyDelta(turn.reply)
    yield ReplyDone(turn.reply)
    lost: list[StageFailed] = []
    if speech is not None:
        async with aclosing(spoken(speech, lost.append)) as sound:
            async for piece in sound:
                yield piece
    elif duration_ms:
        yield SpeechDone(duration_ms)
    for error in lost:
        telemetry.event("degraded", {"turn": turn.id, "part": "speech", **telemetry.reason(error)})
    others = tuple(part for part in turn.degraded if part != "speech")
    yield TurnDone(replace(turn, degraded=(*others, "speech") if lost else others))
