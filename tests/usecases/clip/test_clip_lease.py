"""Clips that are changed during processing: by a second worker, by an owner who cancels, by a new upload."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from fakes.eventually import HANG_SECONDS, eventually
from fakes.memory_clip_stores import CONVERSATION, NAME, RULES, MortalWorker, WorkerDeath, World, recording
from fakes.tone_words import script
from voice_core.domain.clip import ClipClaim
from voice_core.domain.errors import Conflict, NotFound
from voice_core.domain.speech import Hints
from voice_core.usecases.clip.cancel_clip import cancel_clip, delete_conversation
from voice_core.usecases.clip.clip_lease import give_up
from voice_core.usecases.clip.offer_clip import NewClip, offer_clip
from voice_core.usecases.clip.process_clip import process_clip

PCM, SAID = script(14.0)
WORDS = " ".join(said.text for said in SAID)
OTHER_PCM, OTHER_SAID = script(10.0, seed=2)


async def opened(**members: object) -> World:
    world = World()
    await world.open(recording(PCM), **members)
    return world


async def test_one_of_several_workers_processes_the_clip() -> None:
    """All workers return, and every segment was transcribed once."""
    world = await opened()
    world.stt.seconds = 0.05
    await asyncio.gather(*(process_clip(NAME, world.worker()) for _ in range(3)))

    assert world.clip.status == "done"
    assert set(world.stt.billed.values()) == {1}
    assert len(world.assistant.requests) == len(world.conversations.all_turns) == 1


async def test_the_clip_of_a_dead_worker_is_taken_over() -> None:
    """A second worker waits until the claim expires, and takes the clip over if it was not renewed."""
    world = await opened()
    dead = ClipClaim("dead", datetime.now(UTC) + timedelta(seconds=0.15))
    await world.clips.replace(world.clip.changed(claim=dead, attempts=1))
    await process_clip(NAME, world.worker())

    assert (world.clip.status, world.clip.attempts) == ("done", 2)


async def test_a_worker_whose_claim_was_taken_stops() -> None:
    """The worker notices with its next update, and its result is not stored."""
    world = await opened()
    world.stt.seconds = 1000.0
    working = asyncio.create_task(process_clip(NAME, world.worker()))
    await eventually(lambda: world.stt.at_once)
    thief = ClipClaim("thief", datetime.now(UTC) + timedelta(minutes=1))
    await world.clips.replace(world.clip.changed(claim=thief))
    await asyncio.wait_for(working, HANG_SECONDS)

    assert world.clip.claim == thief
    assert world.stt.at_once == 0


async def test_an_owner_who_cancels_stops_the_worker() -> None:
    """The recording, the segments and the transcript are deleted, also those created meanwhile."""
    world = await opened()
    world.stt.seconds = 0.05
    working = asyncio.create_task(process_clip(NAME, world.worker()))
    await eventually(lambda: world.stt.billed)
    await cancel_clip(NAME, world.worker())
    await working

    assert world.clip.status == "cancelled"
    assert not world.leftovers
    assert not world.conversations.all_turns


@pytest.mark.parametrize("whole", [False, True], ids=["clip", "conversation"])
async def test_a_cancellation_at_any_time_leaves_nothing(whole: bool) -> None:
    """A cancellation before any call of the worker leaves no file and no turn of the clip or of its conversation."""
    for number in count(1):
        world = await opened()
        cancelling = CancellingOwner(world, number, whole)
        await process_clip(NAME, world.worker(cancelling))
        if cancelling.task is None:
            break
        await cancelling.task

        assert world.clip.status == "cancelled", number
        assert (world.clip.hints, world.clip.notes) == (Hints(), ""), number
        assert not world.leftovers, number
        assert not world.conversations.all_turns, number
    assert number > 30


class CancellingOwner(MortalWorker):
    """A worker during whose call *number* the owner deletes the clip, or the *whole* conversation."""

    def __init__(self, world: World, number: int, whole: bool) -> None:
        super().__init__()
        self._whole = whole
        self._world = world
        self._number = number
        self.task: asyncio.Task[None] | None = None

    def called(self, name: str) -> bool:
        super().called(name)
        if self.calls == self._number:
            self.task = asyncio.create_task(self._delete())
        return False

    async def _delete(self) -> None:
        if self._whole:
            await delete_conversation(NAME.user_id, CONVERSATION, self._world.worker())
        else:
            await cancel_clip(NAME, self._world.worker())


async def test_an_upload_after_the_cancellation_is_removed() -> None:
    """The permission to upload outlives the clip; a recording uploaded with it is deleted."""
    world = World()
    await world.open()
    await cancel_clip(NAME, world.worker())
    world.recordings.upload(recording(PCM))
    await process_clip(NAME, world.worker())

    assert not world.recordings.stored
    assert not world.stt.billed


async def test_a_recording_replaced_midway_is_processed_anew() -> None:
    """The transcript of the second version has nothing of the first."""
    world = await opened()
    world.stt.seconds = 0.05
    working = asyncio.create_task(process_clip(NAME, world.worker()))
    await eventually(lambda: world.stt.begun)
    world.recordings.upload(recording(OTHER_PCM))
    with suppress(Conflict):
        await working
    await process_clip(NAME, world.worker())

    text = " ".join(world.text().split())
    assert text in (WORDS, " ".join(said.text for said in OTHER_SAID))
    assert world.clip.status == "done"


async def test_a_recording_replaced_between_attempts_is_processed_anew() -> None:
    """Segments of an earlier attempt are used only for the version of the recording they belong to."""
    world = await opened()
    with pytest.raises(WorkerDeath):
        await process_clip(NAME, world.worker(MortalWorker(14)))
    assert world.stt.billed
    world.recordings.upload(recording(OTHER_PCM))
    await process_clip(NAME, world.worker())

    assert " ".join(world.text().split()) == " ".join(said.text for said in OTHER_SAID)


async def test_a_recording_replaced_after_the_end_changes_nothing() -> None:
    """The event of a later upload finds that the clip is done, and changes nothing."""
    world = await opened()
    await process_clip(NAME, world.worker())
    world.recordings.upload(recording(OTHER_PCM))
    await process_clip(NAME, world.worker())

    assert " ".join(world.text().split()) == WORDS


async def test_a_recording_deleted_midway_fails_the_clip() -> None:
    """A clip whose recording was deleted fails at once, because there is nothing to retry with."""
    world = await opened()
    world.stt.seconds = 0.05
    world = replace(world, rules=replace(RULES, at_once=1))
    reading = world.recordings.read
    calls = 0

    async def read_once(*args: object) -> bytes:
        nonlocal calls
        calls += 1
        if calls > 1:
            await world.recordings.delete(NAME)
        return await reading(*args)  # type: ignore[arg-type]

    world.recordings.read = read_once  # type: ignore[method-assign, assignment]
    await process_clip(NAME, world.worker())

    assert world.clip.failure
    assert (world.clip.status, world.clip.failure.code) == ("failed", "recording-missing")


async def test_the_number_of_attempts_is_limited() -> None:
    """After as many attempts as the rules allow, the clip fails and is not tried again."""
    world = World(rules=replace(RULES, attempts=2, claim_seconds=0.05))
    await world.open(recording(PCM))
    for _ in range(2):
        with pytest.raises(WorkerDeath):
            await process_clip(NAME, world.worker(MortalWorker(5)))
    await process_clip(NAME, world.worker())

    assert world.clip.failure
    assert world.clip.failure.code == "clip-attempts-exhausted"
    assert NAME in world.recordings.stored


async def test_a_poison_message_fails_the_clip() -> None:
    """A poison message fails the clip, unless it has ended or a worker is processing it."""
    world = await opened()
    busy = ClipClaim("busy", datetime.now(UTC) + timedelta(minutes=1))
    await world.clips.replace(world.clip.changed(claim=busy))
    await give_up(NAME, world.worker())
    assert world.clip.failure is None

    await world.clips.replace(world.clip.changed(claim=None))
    await give_up(NAME, world.worker())
    assert world.clips.statuses[-1] == "failed"


async def test_an_unused_slot_expires() -> None:
    """A waiting clip is reported as expired after its time; an upload that began in time is processed all the same."""
    world = await opened(upload_until=datetime.now(UTC) - timedelta(seconds=1))
    assert world.clip.at(datetime.now(UTC)).status == "expired"
    await process_clip(NAME, world.worker())

    assert world.clip.status == "done"


async def test_a_named_conversation_must_exist() -> None:
    """A conversation of another user, or one with a made-up id, is not found, as for a turn."""
    world = World()
    with pytest.raises(NotFound, match="no such conversation"):
        await offer_clip(NewClip(user_id="ann", conversation_id="made-up"), world.worker())

    clip = (await offer_clip(NewClip(user_id="ann"), world.worker())).clip
    wanted = NewClip(user_id="ann", conversation_id=clip.conversation_id)
    again = (await offer_clip(wanted, world.worker())).clip
    assert again.conversation_id == clip.conversation_id
