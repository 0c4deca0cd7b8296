"""Jobs of clips in Cosmos DB, on the emulator's real protocol."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from emulators.script import Script, Step
from tests.adapters.cosmos.concurrent_writer import DEADLINE_SECONDS, TTL_SECONDS
from tests.clock import Clock
from voice_core.adapters.cosmos import CosmosClips, Database
from voice_core.domain.clip import Clip, ClipClaim, ClipName, Failure
from voice_core.domain.errors import Conflict, NotFound, StageFailed
from voice_core.domain.speech import Hints

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
CLIP = Clip(
    id="clip1",
    user_id="ann",
    conversation_id="c1",
    created_at=NOON,
    upload_until=NOON + timedelta(minutes=15),
    hints=Hints(("en-GB", "de-DE"), ("Lisbon",)),
    reply=False,
    notes="For my boss.",
    status="failed",
    claim=ClipClaim("w1", NOON + timedelta(seconds=30)),
    attempts=2,
    recording='"0x1"',
    seconds_done=12.5,
    seconds_total=60.0,
    degraded=("speech",),
    failure=Failure("no-speech", "Nobody speaks.", "stt"),
    transcribed=True,
    fingerprint="f" * 64,
)


@pytest.fixture
async def clips(voice: Database) -> AsyncIterator[CosmosClips]:
    clips = CosmosClips(voice, ttl_seconds=TTL_SECONDS, deadline_seconds=DEADLINE_SECONDS)
    yield clips
    await clips.close()


async def test_a_job_is_read_as_it_was_stored(clips: CosmosClips) -> None:
    """Every member and the version are the same as when the job was added."""
    added = await clips.add(CLIP)
    found = await clips.get(CLIP.name)

    assert added == found == CLIP
    assert added.etag == found.etag != ""


async def test_another_users_clip_is_not_found(clips: CosmosClips) -> None:
    """A clip is in its user's partition: others cannot read it, and may use the same id."""
    await clips.add(CLIP)
    with pytest.raises(NotFound) as missing:
        await clips.get(ClipName("bob", CLIP.id))
    await clips.add(replace(CLIP, user_id="bob"))

    assert missing.value.code == "clip-not-found"


async def test_a_job_is_added_once(clips: CosmosClips) -> None:
    """A second job of the same name is a conflict."""
    await clips.add(CLIP)
    with pytest.raises(Conflict):
        await clips.add(CLIP)


async def test_only_one_change_of_a_version_succeeds(clips: CosmosClips) -> None:
    """One of several concurrent changes of a version is stored, and the others are conflicts."""
    added = await clips.add(CLIP)
    results = await asyncio.gather(
        *(clips.replace(added.changed(attempts=number)) for number in range(5)), return_exceptions=True
    )

    (changed,) = [clip for clip in results if isinstance(clip, Clip)]
    assert sum(isinstance(error, Conflict) for error in results) == 4
    assert (await clips.get(CLIP.name)).attempts == changed.attempts


async def test_clips_are_found_by_conversation(clips: CosmosClips) -> None:
    """The clips of the user and the conversation are found, and no others."""
    for user, clip, conversation in (("ann", "1", "c1"), ("ann", "2", "c1"), ("ann", "3", "c2"), ("bob", "4", "c1")):
        await clips.add(replace(CLIP, user_id=user, id=clip, conversation_id=conversation))

    assert sorted(name.clip_id for name in await clips.of_conversation("ann", "c1")) == ["1", "2"]


async def test_a_job_expires_after_its_last_change(clips: CosmosClips, clock: Clock) -> None:
    """Each change restarts a job's time to live; an expired job cannot be read or changed."""
    added = await clips.add(CLIP)
    clock.now += TTL_SECONDS - 1
    changed = await clips.replace(added.changed(status="done"))
    clock.now += TTL_SECONDS - 1
    assert (await clips.get(CLIP.name)).status == "done"

    clock.now += 2
    with pytest.raises(NotFound):
        await clips.get(CLIP.name)
    with pytest.raises(Conflict):
        await clips.replace(changed)


async def test_a_store_that_fails_is_named(clips: CosmosClips, script: Script) -> None:
    """The error's stage is ``clips``."""
    await clips.check()
    script.add("read", Step(status=500, repeat=True))
    with pytest.raises(StageFailed) as failed:
        await clips.get(CLIP.name)

    assert failed.value.stage == "clips"
