"""Hear an utterance, answer it aloud, and remember both."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from voice_core.domain.errors import StageFailed, VoiceError
from voice_core.domain.events import Event, TranscriptDelta, TranscriptDone, TurnCreated, TurnDone, TurnFailed
from voice_core.domain.speech import Interim, Transcript
from voice_core.usecases.resilience.deadlines import Deadline
from voice_core.usecases.turn.listen import listen
from voice_core.usecases.turn.memory import Memory
from voice_core.usecases.turn.record import Draft
from voice_core.usecases.turn.reply import answer
from voice_core.usecases.turn.request import Said
from voice_core.usecases.turn.services import Company


async def take_turn(said: Said, company: Company) -> AsyncGenerator[Event]:
    """One turn, event by event; the last is TurnDone or TurnFailed.

    Closing the generator early cancels what is in flight; the conversation then keeps what had been delivered.
    """
    draft = Draft(said)
    memory = Memory(draft, said, company)
    try:
        yield TurnCreated(said.turn_id, said.conversation_id)
        await _check_voice(said, company)
        history = await memory.recall()

        async with aclosing(_hear(draft, said, company)) as hearing:
            async for heard in hearing:
                yield draft.note(heard)
                draft.took(heard)

        async with aclosing(answer(draft, history, said, company)) as answering:
            async for piece in answering:
                yield draft.note(piece)
                draft.took(piece)

        end: TurnDone | TurnFailed = TurnDone(await memory.remember())
        draft.report("done")
    except VoiceError as error:
        await memory.keep(error)
        end = TurnFailed(draft.told(error))
        draft.report("failed" if isinstance(error, StageFailed) else "refused", error)
    except Exception:
        draft.report("failed", VoiceError("An unexpected error."))
        raise
    except (GeneratorExit, asyncio.CancelledError):
        await memory.keep_delivered()
        draft.report("left")
        raise
    yield end


async def _check_voice(said: Said, company: Company) -> None:
    """Refuse a voice that there is not before anything is paid for; a service that is away will be noticed later."""
    if said.voice and said.aloud:
        with suppress(StageFailed):
            await company.tts.warm(said.voice)


async def _hear(draft: Draft, said: Said, company: Company) -> AsyncGenerator[TranscriptDelta | TranscriptDone]:
    """What the user says, as it is recognised; typed text was known from the start."""
    if said.utterance is None:
        return
    final = Deadline("stt", company.deadlines.stt)
    async with aclosing(listen(said.utterance, said.hints, stt=company.stt, final=final)) as heard:
        async for item in heard:
            if isinstance(item, Transcript):
                draft.mark("ended", final.started)
                yield TranscriptDone(item)
            elif isinstance(item, Interim):
                yield TranscriptDelta(item.text)
