"""Jobs of clips in Cosmos DB, on the emulator's real protocol."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from emulators.script import Script, Step
from tests.adapters.cosmos.writing import DEADLINE_SECONDS, TTL_SECONDS
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
    forgotten=True,
    fingerprint="f" * 64,
)


@pytest.fixture
async def clips(voice: Database) -> AsyncIterator[CosmosClips]:
    clips = CosmosClips(voice, ttl_seconds=TTL_SECONDS, deadline_seconds=DEADLINE_SECONDS)
    yield clips
    await clips.close()


async def test_a_job_comes_back_as_it_was_kept(clips: CosmosClips) -> None:
    """Every member, and its version."""
    added = await clips.add(CLIP)
    found = await clips.get(CLIP.name)

    assert added == found == CLIP
    assert added.etag == found.etag != ""


async def test_another_users_clip_is_not_found(clips: CosmosClips) -> None:
    """It is in another partition; an id that is taken there is free here."""
    await clips.add(CLIP)
    with pytest.raises(NotFound) as missing:
        await clips.get(ClipName("bob", CLIP.id))
    await clips.add(replace(CLIP, user_id="bob"))

    assert missing.value.code == "clip-not-found"


async def test_a_job_is_added_once(clips: CosmosClips) -> None:
    """The second of the same name is refused."""
    await clips.add(CLIP)
    with pytest.raises(Conflict):
        await clips.add(CLIP)


async def test_of_those_who_change_a_version_one_succeeds(clips: CosmosClips) -> None:
    """The others are told that somebody was there first."""
    added = await clips.add(CLIP)
    done = await asyncio.gather(
        *(clips.replace(added.changed(attempts=number)) for number in range(5)), return_exceptions=True
    )

    (won,) = [clip for clip in done if isinstance(clip, Clip)]
    assert sum(isinstance(error, Conflict) for error in done) == 4
    assert (await clips.get(CLIP.name)).attempts == won.attempts


async def test_clips_are_found_by_conversation(clips: CosmosClips) -> None:
    """Those of the user and the conversation, no others."""
    for user, clip, conversation in (("ann", "1", "c1"), ("ann", "2", "c1"), ("ann", "3", "c2"), ("bob", "4", "c1")):
        await clips.add(replace(CLIP, user_id=user, id=clip, conversation_id=conversation))

    assert sorted(name.clip_id for name in await clips.of_conversation("ann", "c1")) == ["1", "2"]


async def test_a_job_expires_after_its_last_change(clips: CosmosClips, clock: Clock) -> None:
    """A change keeps it for as long again; then it is gone, and cannot be changed either."""
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
    """The stage is ``clips``."""
    await clips.check()
    script.add("read", Step(status=500, repeat=True))
    with pytest.raises(StageFailed) as failed:
        await clips.get(CLIP.name)

    assert failed.value.stage == "clips"
