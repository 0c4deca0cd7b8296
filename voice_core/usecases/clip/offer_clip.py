"""Open a clip: create its job, and grant permission to upload its recording."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from voice_core import telemetry
from voice_core.domain.clip import Clip, UploadPermission
from voice_core.domain.conversation import may_begin, new_conversation_id
from voice_core.domain.errors import Conflict, NotFound
from voice_core.domain.speech import Hints
from voice_core.usecases.clip.services import ClipServices
from voice_core.usecases.idempotency.fingerprint import IdempotentRequest, key_reused


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClip:
    """The options of a clip that is to be opened."""

    user_id: str
    conversation_id: str | None = None
    """None: the clip begins a conversation."""
    size_bytes: int = 0
    """Size of the recording; 0 when it is not known."""
    in_blocks: bool = False
    hints: Hints = field(default_factory=Hints)
    reply: bool = True
    notes: str = ""
    request: IdempotentRequest | None = None
    """Set when the client may repeat the request: the clip then has the id of the request."""


@dataclass(frozen=True, slots=True)
class ClipOffer:
    """A clip, and where to upload its recording."""

    clip: Clip
    upload: UploadPermission | None
    """None when the clip was opened before and needs no upload any more."""
    replayed: bool = False
    """True when the clip was opened before, by the same request."""


async def offer_clip(new_clip: NewClip, services: ClipServices) -> ClipOffer:
    """Open a new clip, or find the one that the same request has opened before.

    Raises:
        TooLarge: ``audio-too-large``.
        NotFound: ``conversation-not-found``.
        KeyReused: a different request has opened a clip under this key.
        StageFailed: with stage ``clips``, ``conversations`` or ``storage``.
    """
    services.rules.limits.check_bytes(new_clip.size_bytes)
    await _check_conversation(new_clip, services)
    now = datetime.now(UTC)
    request = new_clip.request
    clip_id = request.name.id if request else uuid4().hex
    clip = Clip(
        id=clip_id,
        user_id=new_clip.user_id,
        conversation_id=new_clip.conversation_id or new_conversation_id(clip_id),
        created_at=now,
        upload_until=now + timedelta(seconds=services.rules.upload_seconds),
        hints=new_clip.hints,
        reply=new_clip.reply,
        notes=new_clip.notes,
        fingerprint=request.fingerprint.words_digest if request else "",
    )
    upload = await services.recordings.allow_upload(clip.name, clip.upload_until, in_blocks=new_clip.in_blocks)
    try:
        return ClipOffer(await services.clips.add(clip), upload)
    except Conflict:
        if not clip.fingerprint:
            raise
    return await _offer_again(clip, upload, services)


async def _check_conversation(new_clip: NewClip, services: ClipServices) -> None:
    named = new_clip.conversation_id
    if named is None:
        return
    try:
        await services.turn.conversations.recent(new_clip.user_id, named, 1)
    except NotFound:
        if not may_begin(named):
            raise


async def _offer_again(offered: Clip, upload: UploadPermission, services: ClipServices) -> ClipOffer:
    """The stored clip in place of *offered*, with *upload* unless its recording has been uploaded."""
    clip = await services.clips.get(offered.name)
    if clip.fingerprint != offered.fingerprint:
        raise key_reused()
    telemetry.event("replayed", {"clip": clip.id})
    while clip.status == "waiting" and not await _uploaded(clip, services):
        with suppress(Conflict):
            waiting = await services.clips.replace(clip.changed(upload_until=offered.upload_until))
            return ClipOffer(waiting, upload, replayed=True)
        clip = await services.clips.get(offered.name)
    return ClipOffer(clip, None, replayed=True)


async def _uploaded(clip: Clip, services: ClipServices) -> bool:
    try:
        await services.recordings.find(clip.name)
    except NotFound:
        return False
    return True
