"""The reply to a clip: created once, synthesised, and stored as a turn of the clip's conversation."""

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
from voice_core.usecases.resilience.retry import retry
from voice_core.usecases.speech_file.save_speech import save_speech
from voice_core.usecases.turn.read_aloud import read_aloud
from voice_core.usecases.turn.reply_words import reply_words

REPLY = "reply.txt"

REMEMBERED_CHARACTERS = 2000
"""Longest part of the transcript in the stored turn, and so in the history that later turns send to the assistant."""

PROMPT_CHARACTERS = 300_000
"""Longest part of the transcript that is sent to the assistant: some 75,000 tokens, five hours of speech."""


async def reply_to_clip(lease: Lease, phrases: Sequence[TimedPhrase], services: ClipServices) -> None:
    """Create and store the reply, its speech, and the turn of the conversation. Stored parts are not created again.

    Raises:
        ReplyRefused: the content filter refused.
        Conflict: ``conversation-deleted``; the conversation was deleted after the clip was opened.
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
    if not await _save_reply_speech(clip, reply, services):
        await lease.change(degraded=("speech",))
    turn = _turn(lease.clip, text, reply, spoken_language(phrases))
    await retry(
        lambda: services.turn.conversations.append(clip.user_id, turn, _age_seconds(clip)),
        retries=services.retries,
        tries=rules.tries,
        pause_seconds=rules.pause_seconds,
    )


async def _reply(clip: Clip, text: str, services: ClipServices) -> str:
    turn = services.turn
    history: Sequence[Turn] = ()
    with suppress(NotFound):
        history = await turn.conversations.recent(clip.user_id, clip.conversation_id, turn.history_turns)
    async with aclosing(reply_words(_prompt(clip, text, services), history, turn)) as pieces:
        return "".join([piece async for piece in pieces]).strip()


def _prompt(clip: Clip, text: str, services: ClipServices) -> str:
    """The text for the assistant: the instructions for a long transcript, the user's notes, and the transcript."""
    long = len(text) > services.rules.long_characters
    above = [services.rules.summary_prompt if long else "", clip.notes]
    return "\n\n".join(filter(None, [*above, text[:PROMPT_CHARACTERS]]))


async def _save_reply_speech(clip: Clip, reply: str, services: ClipServices) -> bool:
    """Whether the speech of the reply is stored, now or before. True also for a reply that has no speakable text."""
    name = SpeechName(clip.user_id, clip.conversation_id, clip.id)
    with suppress(NotFound):
        if (await services.speeches.find(name)).complete:
            return True
    try:
        await save_speech(name, read_aloud(reply, None, services.turn), services.speeches)
    except InvalidInput:
        return True
    except StageFailed as error:
        if error.stage != "tts":
            raise
        return False
    return True


def _age_seconds(clip: Clip) -> float:
    """Time since the clip was opened."""
    return (datetime.now(UTC) - clip.created_at).total_seconds()


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
