"""Hear an utterance, answer it aloud, and remember both."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from voice_core.domain.errors import StageFailed, VoiceError
from voice_core.domain.events import Event, TranscriptDelta, TranscriptDone, TurnCreated, TurnDone, TurnFailed
from voice_core.domain.speech import Interim, Transcript
from voice_core.usecases.resilience.deadlines import Deadline
from voice_core.usecases.turn.listen import listen
from voice_core.usecases.turn.memory import ConversationMemory
from voice_core.usecases.turn.record import TurnRecord
from voice_core.usecases.turn.reply import reply
from voice_core.usecases.turn.request import TurnRequest
from voice_core.usecases.turn.services import TurnServices


async def take_turn(request: TurnRequest, services: TurnServices) -> AsyncGenerator[Event]:
    """One turn, event by event; the last is TurnDone or TurnFailed.

    Closing the generator early cancels what is in flight; the conversation then keeps what had been delivered.
    """
    record = TurnRecord(request)
    memory = ConversationMemory(record, request, services)
    try:
        yield TurnCreated(request.turn_id, request.conversation_id)
        await _check_voice(request, services)
        history = await memory.recall()

        async with aclosing(_hear(record, request, services)) as hearing:
            async for heard in hearing:
                yield record.add(heard)
                record.delivered_event(heard)

        async with aclosing(reply(record, history, request, services)) as answering:
            async for piece in answering:
                yield record.add(piece)
                record.delivered_event(piece)

        end: TurnDone | TurnFailed = TurnDone(await memory.remember())
        record.report("done")
    except VoiceError as error:
        await memory.keep(error)
        end = TurnFailed(record.with_result(error))
        record.report("failed" if isinstance(error, StageFailed) else "refused", error)
    except Exception:
        record.report("failed", VoiceError("An unexpected error."))
        raise
    except (GeneratorExit, asyncio.CancelledError):
        await memory.keep_delivered()
        record.report("left")
        raise
    yield end


async def _check_voice(request: TurnRequest, services: TurnServices) -> None:
    """Refuse a voice that there is not before anything is paid for; a service that is away will be noticed later."""
    if request.voice and request.aloud:
        with suppress(StageFailed):
            await services.tts.warm(request.voice)


async def _hear(
    record: TurnRecord, request: TurnRequest, services: TurnServices
) -> AsyncGenerator[TranscriptDelta | TranscriptDone]:
    """What the user says, as it is recognised; typed text was known from the start."""
    if request.utterance is None:
        return
    final = Deadline("stt", services.deadlines.stt)
    async with aclosing(listen(request.utterance, request.hints, stt=services.stt, final=final)) as heard:
        async for item in heard:
            if isinstance(item, Transcript):
                record.mark("ended", final.started)
                yield TranscriptDone(item)
            elif isinstance(item, Interim):
                yield TranscriptDelta(item.text)
