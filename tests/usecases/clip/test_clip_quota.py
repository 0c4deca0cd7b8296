"""The daily quota of sound while clips are processed: it is checked before each segment, for all clips together."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import pytest

from fakes.memory_clip_stores import LIMITS, NAME, MortalWorker, WorkerDeath, World, recording
from fakes.tone_words import script
from voice_core.domain.clip import ClipName
from voice_core.domain.errors import StageFailed
from voice_core.domain.limits import DailyQuota
from voice_core.usecases.clip.process_clip import process_clip

PCM, SAID = script(30.0)
SEGMENT = 4.0
"""Longest segment of `RULES`, in seconds."""


def billed_seconds(world: World) -> float:
    """Sound that was recognised, in seconds."""
    return sum(len(pcm) * times for pcm, times in world.stt.billed.items()) / 32_000


def with_quota(seconds: int) -> World:
    return World(limits=replace(LIMITS, quota=DailyQuota(seconds)))


async def test_clips_that_begin_together_share_the_quota() -> None:
    """However many clips are processed at once, no more is recognised than the quota and one segment."""
    world = with_quota(10)
    world.stt.seconds = 0.01
    names = [ClipName("ann", f"clip{number}") for number in range(6)]
    for name in names:
        await world.open(id=name.clip_id)
        world.recordings.upload(recording(PCM), name)
    await asyncio.gather(*(process_clip(name, world.worker()) for name in names))

    assert 10 - SEGMENT <= billed_seconds(world) <= 10 + SEGMENT
    outcomes = Counter((clip.status, clip.failure and clip.failure.code) for clip in world.clips.stored.values())
    assert outcomes == {("failed", "limit-reached"): len(names)}


async def test_a_clip_keeps_what_the_quota_allowed() -> None:
    """The transcript of the first part can be read; the clip has failed with the limit's code, without a reply."""
    world = with_quota(10)
    await world.open(recording(PCM))
    await process_clip(NAME, world.worker())

    words = world.text().split()
    assert world.clip.failure is not None
    assert (world.clip.status, world.clip.failure.code, world.clip.transcribed) == ("failed", "limit-reached", True)
    assert 0 < len(words) < len(SAID)
    assert words == [said.text for said in SAID][: len(words)]
    assert world.clip.seconds_done == pytest.approx(billed_seconds(world), abs=0.01)
    assert not world.assistant.requests


async def test_a_failed_recognition_is_not_counted_again() -> None:
    """Sound counts once, however many attempts its recognition takes."""
    world = World()
    await world.open(recording(PCM))
    world.stt.failures = [StageFailed("Away.", stage="stt")] * 6
    while not world.clip.ended:
        with suppress(StageFailed):
            await process_clip(NAME, world.worker())

    assert world.clip.status == "done"
    assert world.clip.attempts > 1
    assert sum(world.usage.heard_ms.values()) == round(len(PCM) / 32)


async def test_a_new_version_of_the_recording_is_counted() -> None:
    """A recording that is replaced between two attempts counts from its beginning."""
    world = World()
    await world.open(recording(PCM))
    with pytest.raises(WorkerDeath):
        await process_clip(NAME, world.worker(MortalWorker(20)))
    counted = sum(world.usage.heard_ms.values())
    other, _ = script(10.0, seed=2)
    world.recordings.upload(recording(other))
    await process_clip(NAME, world.worker())

    assert sum(world.usage.heard_ms.values()) == counted + round(len(other) / 32)
