"""Give permission to upload a recording, and open the job that waits for it."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from voice_core import telemetry
from voice_core.domain.clip import Clip, Slot
from voice_core.domain.conversation import may_begin, new_conversation_id
from voice_core.domain.errors import Conflict, NotFound
from voice_core.domain.speech import Hints
from voice_core.usecases.clip.services import ClipServices
from voice_core.usecases.idempotency.fingerprint import IdempotentRequest, key_reused


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClip:
    """What a clip is to be."""

    user_id: str
    conversation_id: str | None = None
    """None: it begins one."""
    size_bytes: int = 0
    """As far as it is known."""
    in_blocks: bool = False
    hints: Hints = field(default_factory=Hints)
    reply: bool = True
    notes: str = ""
    request: IdempotentRequest | None = None
    """Set when it may be sent again: the clip's id is that of the request then."""


@dataclass(frozen=True, slots=True)
class ClipOffer:
    """A clip, and where to put its recording."""

    clip: Clip
    slot: Slot | None
    """None of a clip that was opened before, and needs none any more."""
    replayed: bool = False
    """It was opened before."""


async def offer_clip(wanted: NewClip, services: ClipServices) -> ClipOffer:
    """A new clip, or the one that the same request has opened before.

    Raises:
        TooLarge: ``audio-too-large``.
        NotFound: ``conversation-not-found``.
        KeyReused: another request has opened a clip of this name.
        StageFailed: with stage ``clips``, ``conversations`` or ``storage``.
    """
    services.rules.limits.check_bytes(wanted.size_bytes)
    await _check_conversation(wanted, services)
    now = datetime.now(UTC)
    request = wanted.request
    clip_id = request.name.id if request else uuid4().hex
    clip = Clip(
        id=clip_id,
        user_id=wanted.user_id,
        conversation_id=wanted.conversation_id or new_conversation_id(clip_id),
        created_at=now,
        upload_until=now + timedelta(seconds=services.rules.upload_seconds),
        hints=wanted.hints,
        reply=wanted.reply,
        notes=wanted.notes,
        fingerprint=request.fingerprint.words_digest if request else "",
    )
    slot = await services.recordings.slot(clip.name, clip.upload_until, in_blocks=wanted.in_blocks)
    try:
        return ClipOffer(await services.clips.add(clip), slot)
    except Conflict:
        if not clip.fingerprint:
            raise
    return await _offered_again(clip, slot, services)


async def _check_conversation(wanted: NewClip, services: ClipServices) -> None:
    named = wanted.conversation_id
    if named is None:
        return
    try:
        await services.turn.conversations.recent(wanted.user_id, named, 1)
    except NotFound:
        if not may_begin(named):
            raise


async def _offered_again(asked: Clip, slot: Slot, services: ClipServices) -> ClipOffer:
    """The clip that was opened before *asked*, with *slot* unless its recording is there."""
    clip = await services.clips.get(asked.name)
    if clip.fingerprint != asked.fingerprint:
        raise key_reused()
    telemetry.event("replayed", {"clip": clip.id})
    while clip.status == "waiting" and not await _uploaded(clip, services):
        with suppress(Conflict):
            waiting = await services.clips.replace(clip.changed(upload_until=asked.upload_until))
            return ClipOffer(waiting, slot, replayed=True)
        clip = await services.clips.get(asked.name)
    return ClipOffer(clip, None, replayed=True)


async def _uploaded(clip: Clip, services: ClipServices) -> bool:
    try:
        await services.recordings.find(clip.name)
    except NotFound:
        return False
    return True
