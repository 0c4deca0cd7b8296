"""Reply to a clip: once, aloud, and in its conversation."""

from collections.abc import Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from textwrap import shorten

from voice_core.domain.clip import Clip
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import InvalidInput, NotFound, StageFailed
from voice_core.domain.speech import SpeechName, TimedPhrase
from voice_core.text.captions import plain_text
from voice_core.usecases.clip.clip_lease import Lease
from voice_core.usecases.clip.services import ClipServices
from voice_core.usecases.clip.transcript_files import spoken_language
from voice_core.usecases.resilience.deadlines import paced
from voice_core.usecases.resilience.retry import retry
from voice_core.usecases.speech_file.save_speech import keep_speech
from voice_core.usecases.turn.read_aloud import read_aloud

REPLY = "reply.txt"

REMEMBERED_CHARACTERS = 2000
"""Of the transcript, in the conversation: what the assistant is told of it in later turns."""

MOST_CHARACTERS = 300_000
"""Of the transcript that the assistant is told: some 75,000 tokens, five hours of speech."""


async def reply_to_clip(lease: Lease, phrases: Sequence[TimedPhrase], services: ClipServices) -> None:
    """The reply to what was said, its speech, and a turn of the conversation; what is there already is not made again.

    Raises:
        ReplyRefused: by the content filter.
        StageFailed: with stage ``assistant``, ``conversations``, ``storage`` or ``clips``.
    """
    clip, rules = lease.clip, services.rules
    text = plain_text(phrases)
    try:
        reply = (await services.artefacts.get(clip.name, REPLY)).decode()
    except NotFound:
        reply = await retry(
            lambda: _reply(clip, text, services),
            retries=services.retries,
            tries=rules.tries,
            pause_seconds=rules.pause_seconds,
        )
        await services.artefacts.put(clip.name, REPLY, reply.encode())
    if not await _say(clip, reply, services):
        await lease.change(degraded=("speech",))
    turn = _turn(lease.clip, text, reply, spoken_language(phrases))
    await retry(
        lambda: services.turn.conversations.append(clip.user_id, turn),
        retries=services.retries,
        tries=rules.tries,
        pause_seconds=rules.pause_seconds,
    )


async def _reply(clip: Clip, text: str, services: ClipServices) -> str:
    asked = services.turn
    history: Sequence[Turn] = ()
    with suppress(NotFound):
        history = await asked.conversations.recent(clip.user_id, clip.conversation_id, asked.history_turns)
    written = asked.assistant.reply(_told(clip, text, services), history)
    async with aclosing(paced(written, "assistant", asked.deadlines.assistant)) as pieces:
        return "".join([piece async for piece in pieces]).strip()


def _told(clip: Clip, text: str, services: ClipServices) -> str:
    """What the assistant is told: what was said, and above it how to take it."""
    long = len(text) > services.rules.long_characters
    above = [services.rules.summary_prompt if long else "", clip.notes]
    return "\n\n".join(filter(None, [*above, text[:MOST_CHARACTERS]]))


async def _say(clip: Clip, reply: str, services: ClipServices) -> bool:
    """Whether the reply is kept as speech, now or before; a reply that cannot be said needs none."""
    name = SpeechName(clip.user_id, clip.conversation_id, clip.id)
    with suppress(NotFound):
        if (await services.speeches.find(name)).complete:
            return True
    try:
        await keep_speech(name, read_aloud(reply, None, services.turn), services.speeches)
    except InvalidInput:
        return True
    except StageFailed as error:
        if error.stage != "tts":
            raise
        return False
    return True


def _turn(clip: Clip, text: str, reply: str, language: str) -> Turn:
    return Turn(
        id=clip.id,
        conversation_id=clip.conversation_id,
        transcript=shorten(text, REMEMBERED_CHARACTERS, placeholder=" …"),
        reply=reply,
        created_at=datetime.now(UTC),
        language=language,
        degraded=clip.degraded,
        clip_id=clip.id,
    )
