"""Cancel a clip and delete everything that belongs to it; delete a conversation with its clips."""

from contextlib import suppress

from voice_core.domain.clip import Clip, ClipName
from voice_core.domain.errors import Conflict, NotFound
from voice_core.domain.speech import Hints
from voice_core.usecases.clip.services import ClipServices


async def cancel_clip(name: ClipName, services: ClipServices) -> None:
    """Cancel the clip and delete its recording and its results. A worker that is processing it will notice and stop.

    Raises:
        NotFound: the user has no such clip.
        StageFailed: with stage ``clips``, ``storage`` or ``conversations``.
    """
    await remove(await _cancel(name, services), services)


async def delete_conversation(user_id: str, conversation_id: str, services: ClipServices) -> None:
    """Delete a conversation, its clips and its speech; succeeds when there is none.

    Nothing can be read any more when the first store has been changed, even if a later one fails; the next call
    completes the deletion. A clip or a turn that was in progress stores nothing afterwards.

    Raises:
        StageFailed: with stage ``clips``, ``storage`` or ``conversations``.
    """
    clips = await _cancel_all(user_id, conversation_id, services)
    await services.turn.conversations.delete(user_id, conversation_id)
    # Again, for clips that were opened meanwhile, while there still was a conversation.
    clips |= await _cancel_all(user_id, conversation_id, services)
    await services.speeches.delete(user_id, conversation_id)
    for clip in clips.values():
        await remove(clip, services)


async def _cancel_all(user_id: str, conversation_id: str, services: ClipServices) -> dict[ClipName, Clip]:
    cancelled = {}
    for name in await services.clips.of_conversation(user_id, conversation_id):
        with suppress(NotFound):
            cancelled[name] = await _cancel(name, services)
    return cancelled


async def _cancel(name: ClipName, services: ClipServices) -> Clip:
    """The clip, cancelled."""
    while (clip := await services.clips.get(name)).status != "cancelled":
        with suppress(Conflict):
            await services.clips.replace(_cancelled(clip))
    return clip


def _cancelled(clip: Clip) -> Clip:
    cancelled = clip.changed(status="cancelled", claim=None, failure=None, transcribed=False)
    return cancelled.changed(hints=Hints(), notes="")


async def remove(clip: Clip, services: ClipServices) -> None:
    """Delete the results, which are the turn of its conversation, artefacts and speech, and then the recording.

    The recording comes last: others may have its URL, and must not be able to keep the results by what they do to it.
    """
    await services.turn.conversations.forget(clip.user_id, clip.conversation_id, clip.id)
    await services.artefacts.delete(clip.name)
    await services.speeches.delete(clip.user_id, clip.conversation_id, clip.id)
    await services.recordings.delete(clip.name)
