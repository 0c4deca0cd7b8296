"""Stop work on a clip, and leave nothing of it."""

from contextlib import suppress

from voice_core.domain.clip import Clip, ClipName
from voice_core.domain.errors import Conflict, NotFound
from voice_core.domain.speech import Hints
from voice_core.usecases.clip.services import ClipServices


async def cancel_clip(name: ClipName, services: ClipServices, *, forgotten: bool = False) -> None:
    """Cancel the clip and remove its recording and all that was made of it; a worker that is at it will notice.

    With *forgotten*, its conversation is deleted too.

    Raises:
        NotFound: the user has no such clip.
        StageFailed: with stage ``clips``, ``storage`` or ``conversations``.
    """
    while (clip := await services.clips.get(name)).status != "cancelled":
        with suppress(Conflict):
            await services.clips.replace(_cancelled(clip, forgotten))
    await remove(clip, services)


async def cancel_all(user_id: str, conversation_id: str, services: ClipServices) -> None:
    """Cancel every clip of a conversation."""
    for name in await services.clips.of_conversation(user_id, conversation_id):
        with suppress(NotFound):
            await cancel_clip(name, services, forgotten=True)


def _cancelled(clip: Clip, forgotten: bool) -> Clip:
    gone = clip.changed(status="cancelled", forgotten=forgotten, claim=None, failure=None, transcribed=False)
    return gone.changed(hints=Hints(), notes="")


async def remove(clip: Clip, services: ClipServices) -> None:
    """Remove the recording, and all that was made of it, the turn of its conversation too."""
    await services.recordings.delete(clip.name)
    await services.artefacts.delete(clip.name)
    await services.speeches.delete(clip.user_id, clip.conversation_id, clip.id)
    await services.turn.conversations.forget(clip.user_id, clip.conversation_id, clip.id)
