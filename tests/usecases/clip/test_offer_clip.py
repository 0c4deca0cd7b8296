"""A clip that is requested again under the same key: the same clip, with permission to upload while it needs that."""

from datetime import UTC, datetime, timedelta

import pytest

from fakes.memory_clip_stores import World
from voice_core.domain.clip import Clip
from voice_core.domain.errors import Conflict, KeyReused
from voice_core.domain.idempotency import RequestName
from voice_core.usecases.clip.cancel_clip import cancel_clip
from voice_core.usecases.clip.offer_clip import ClipOffer, NewClip, offer_clip
from voice_core.usecases.idempotency.fingerprint import Fingerprint, IdempotentRequest


async def offered(world: World, words: str = "words") -> ClipOffer:
    request = IdempotentRequest(RequestName("ann", "r1" * 16), Fingerprint("k", words))
    return await offer_clip(NewClip(user_id="ann", request=request), world.worker())


async def test_the_same_request_opens_one_clip() -> None:
    """A repeated request returns the same clip in the same conversation; a different request is refused."""
    world = World()
    first, again = await offered(world), await offered(world)

    assert (first.replayed, again.replayed) == (False, True)
    assert (again.clip.id, again.clip.conversation_id) == (first.clip.id, first.clip.conversation_id)
    assert again.upload == first.upload
    with pytest.raises(KeyReused):
        await offered(world, "other words")
    assert len(world.clips.stored) == 1


async def test_an_unused_slot_is_valid_again() -> None:
    """A repeated request renews the permission of a clip without a recording, also after it has expired."""
    world = World()
    clip = (await offered(world)).clip
    past = datetime.now(UTC) - timedelta(seconds=1)
    await world.clips.replace(clip.changed(upload_until=past))
    again = await offered(world)

    assert again.upload
    assert again.clip.at(datetime.now(UTC)).status == "waiting"


async def test_a_clip_that_has_its_recording_needs_no_slot() -> None:
    """A clip with a recording gets no permission, nor does a clip that has ended."""
    world = World()
    clip = (await offered(world)).clip
    world.recordings.upload(b"sound", clip.name)
    assert (await offered(world)).upload is None

    await cancel_clip(clip.name, world.worker())
    cancelled = await offered(world)
    assert (cancelled.clip.status, cancelled.upload) == ("cancelled", None)


async def test_a_worker_that_begins_meanwhile_is_not_disturbed() -> None:
    """A clip that a worker has changed meanwhile is read again, and not overwritten."""
    world = World()
    waiting = (await offered(world)).clip
    replacing = world.clips.replace

    async def begun_meanwhile(clip: Clip) -> Clip:
        world.clips.replace = replacing  # type: ignore[method-assign]
        await replacing(waiting.changed(status="transcribing"))
        raise Conflict("Another worker has changed this clip.")

    world.clips.replace = begun_meanwhile  # type: ignore[method-assign]
    again = await offered(world)

    assert (again.clip.status, again.upload) == ("transcribing", None)
