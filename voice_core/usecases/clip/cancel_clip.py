"""Cancel a clip and delete everything that belongs to it."""

from contextlib import suppress

from voice_core.domain.clip import Clip, ClipName
from voice_core.domain.errors import Conflict, NotFound
from voice_core.domain.speech import Hints
from voice_core.usecases.clip.services import ClipServices


async def cancel_clip(name: ClipName, services: ClipServices, *, forgotten: bool = False) -> None:
    """Cancel the clip and delete its recording and its results. A worker that is processing it will notice and stop.

    *forgotten* notes that its conversation is deleted too.

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
    cancelled = clip.changed(status="cancelled", forgotten=forgotten, claim=None, failure=None, transcribed=False)
    return cancelled.changed(hints=Hints(), notes="")


async def remove(clip: Clip, services: ClipServices) -> None:
    """Delete the recording and the results: artefacts, speech, and the turn of its conversation."""
    await services.recordings.delete(clip.name)
    await services.artefacts.delete(clip.name)
    await services.speeches.delete(clip.user_id, clip.conversation_id, clip.id)
    await services.turn.conversations.forget(clip.user_id, clip.conversation_id, clip.id)
