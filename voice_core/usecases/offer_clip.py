"""Give permission to upload a recording, and open the job that waits for it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from voice_core.domain.clip import Clip, Slot
from voice_core.domain.conversation import may_begin, new_conversation_id
from voice_core.domain.errors import NotFound
from voice_core.domain.speech import Hints
from voice_core.usecases.clip_company import ClipCompany


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
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


async def offer_clip(wanted: Wanted, company: ClipCompany) -> tuple[Clip, Slot]:
    """A new clip, and where to put its recording.

    Raises:
        TooLarge: ``audio-too-large``.
        NotFound: ``conversation-not-found``.
        StageFailed: with stage ``clips``, ``conversations`` or ``storage``.
    """
    company.rules.limits.check_bytes(wanted.size_bytes)
    await _check_conversation(wanted, company)
    now = datetime.now(UTC)
    clip = Clip(
        id=uuid4().hex,
        user_id=wanted.user_id,
        conversation_id=wanted.conversation_id or new_conversation_id(),
        created_at=now,
        upload_until=now + timedelta(seconds=company.rules.upload_seconds),
        hints=wanted.hints,
        reply=wanted.reply,
        notes=wanted.notes,
    )
    slot = await company.recordings.slot(clip.name, clip.upload_until, in_blocks=wanted.in_blocks)
    return await company.clips.add(clip), slot


async def _check_conversation(wanted: Wanted, company: ClipCompany) -> None:
    named = wanted.conversation_id
    if named is None:
        return
    try:
        await company.company.conversations.recent(wanted.user_id, named, 1)
    except NotFound:
        if not may_begin(named):
            raise
