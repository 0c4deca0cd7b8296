"""One turn: transcribe the utterance, reply to it aloud, and store both."""

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

    Closing the generator early cancels the calls in progress, and stores the part of the turn that was delivered.
    """
    record = TurnRecord(request)
    memory = ConversationMemory(record, request, services)
    try:
        yield TurnCreated(request.turn_id, request.conversation_id)
        await _check_voice(request, services)
        history = await memory.recall()

        async with aclosing(_transcript(record, request, services)) as transcript_events:
            async for transcribed in transcript_events:
                yield record.add(transcribed)
                record.add_delivered(transcribed)

        async with aclosing(reply(record, history, request, services)) as reply_events:
            async for replied in reply_events:
                yield record.add(replied)
                record.add_delivered(replied)

        end: TurnDone | TurnFailed = TurnDone(await memory.store())
        record.report("done")
    except VoiceError as error:
        await memory.store_failed(error)
        end = TurnFailed(record.with_result(error))
        record.report("failed" if isinstance(error, StageFailed) else "refused", error)
    except Exception:
        record.report("failed", VoiceError("An unexpected error."))
        raise
    except (GeneratorExit, asyncio.CancelledError):
        await memory.store_delivered()
        record.report("left")
        raise
    yield end


async def _check_voice(request: TurnRequest, services: TurnServices) -> None:
    """Refuse an unknown voice before any paid call. An unavailable service is not an error here: it is found later."""
    if request.voice and request.aloud:
        with suppress(StageFailed):
            await services.tts.warm(request.voice)


async def _transcript(
    record: TurnRecord, request: TurnRequest, services: TurnServices
) -> AsyncGenerator[TranscriptDelta | TranscriptDone]:
    """The events of the transcript, as the utterance is recognised; none for typed text.

    A transcript in the journal is final: the utterance is not recognised again.
    """
    if request.journal and (found := request.journal.found.transcript):
        record.mark("ended")
        yield TranscriptDone(found)
        return
    if request.utterance is None:
        return
    final = Deadline("stt", services.deadlines.stt)
    async with aclosing(listen(request.utterance, request.hints, stt=services.stt, final=final)) as results:
        async for item in results:
            if isinstance(item, Transcript):
                record.mark("ended", final.started)
                if request.journal:
                    request.journal.add_transcript(item)
                yield TranscriptDone(item)
            elif isinstance(item, Interim):
                yield TranscriptDelta(item.text)
