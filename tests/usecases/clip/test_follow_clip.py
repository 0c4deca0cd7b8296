"""Following clips: one reader for each clip, which slows down while nothing changes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

import pytest

from emulators.cosmos import LOCAL_KEY, cosmos_app
from emulators.script import Script
from emulators.serving import serving
from fakes.eventually import eventually
from fakes.memory_clip_stores import NAME, World
from voice_core.adapters.cosmos import CosmosClips, Database
from voice_core.domain.clip import Clip
from voice_core.domain.errors import NotFound
from voice_core.usecases.clip.follow_clip import FASTEST_SECONDS, SLOWEST_SECONDS, ClipFollowers

LONG = 1000.0


@dataclass
class Pauses:
    """Pauses between reads, which end when the test says so."""

    seconds: list[float] = field(default_factory=list)
    waiting: "asyncio.Queue[asyncio.Event]" = field(default_factory=asyncio.Queue)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        ending = asyncio.Event()
        self.waiting.put_nowait(ending)
        await ending.wait()

    async def end(self, count: int = 1) -> None:
        """End *count* pauses, each as soon as it has begun, and wait for the beginning of the next."""
        for _ in range(count):
            begun = len(self.seconds)
            (await self.waiting.get()).set()
            await eventually(partial(self._more_than, begun))

    def _more_than(self, count: int) -> bool:
        return len(self.seconds) > count


async def changed(world: World, **changes: object) -> None:
    await world.clips.replace(world.clip.changed(**changes))


async def test_a_follower_gets_each_state_once() -> None:
    """The state is delivered at once and after each change, and the last one is that in which the clip has ended."""
    world, pauses = World(), Pauses()
    await world.open()
    states = ClipFollowers(world.clips, pauses).follow(NAME, LONG)
    seen = [await anext(states)]
    await pauses.end(2)
    for status in ("transcribing", "done"):
        await changed(world, status=status)
        (await pauses.waiting.get()).set()
        seen.append(await anext(states))

    assert [clip.status for clip in seen] == ["waiting", "transcribing", "done"]
    with pytest.raises(StopAsyncIteration):
        await anext(states)


async def test_reads_slow_down_while_nothing_changes() -> None:
    """Each pause is longer than the one before, up to a limit; after a change they are short again."""
    world, pauses = World(), Pauses()
    await world.open()
    async with aclosing(ClipFollowers(world.clips, pauses).follow(NAME, LONG)) as states:
        await anext(states)
        await pauses.end(12)
        quiet = list(pauses.seconds)
        await changed(world, status="transcribing")
        await pauses.end()

    assert quiet[0] == pauses.seconds[-1] == FASTEST_SECONDS
    assert quiet == sorted(quiet)
    assert quiet[-1] == SLOWEST_SECONDS


async def test_a_state_is_repeated_when_nothing_changes() -> None:
    """A follower that waits for long gets the last state again, without another read."""
    world, pauses = World(), Pauses()
    await world.open()
    async with aclosing(ClipFollowers(world.clips, pauses).follow(NAME, 0.001)) as states:
        seen = [await anext(states) for _ in range(3)]

    assert seen[0] is seen[1] is seen[2]
    assert len(pauses.seconds) == 1


async def test_the_reader_stops_with_its_last_follower() -> None:
    """As long as one follower is left, the clip is read; afterwards no task is left."""
    world, pauses = World(), Pauses()
    await world.open()
    before, followers = asyncio.all_tasks(), ClipFollowers(world.clips, pauses)
    first, second = followers.follow(NAME, LONG), followers.follow(NAME, LONG)
    await anext(first)
    await anext(second)
    await first.aclose()
    await changed(world, status="transcribing")
    (await pauses.waiting.get()).set()
    assert (await anext(second)).status == "transcribing"
    await second.aclose()

    assert asyncio.all_tasks() == before


async def test_an_unknown_clip_is_not_found() -> None:
    """Every follower gets the error, and the next one reads again."""
    world, pauses = World(), Pauses()
    followers = ClipFollowers(world.clips, pauses)
    found = await asyncio.gather(*(anext(followers.follow(NAME, LONG)) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(each, NotFound) for each in found)
    await world.open()

    assert (await anext(followers.follow(NAME, LONG))).status == "waiting"


@pytest.fixture
async def cosmos() -> AsyncIterator[tuple[CosmosClips, Script]]:
    """A store of clips in the emulator, and the log of that."""
    script = Script()
    async with serving(cosmos_app(None, script=script)) as url:
        clips = CosmosClips(Database(url, LOCAL_KEY, "voice", create=True), ttl_seconds=1000, deadline_seconds=10.0)
        yield clips, script
        await clips.close()


async def test_followers_cost_no_more_than_one(cosmos: tuple[CosmosClips, Script]) -> None:
    """The operations in Cosmos DB are the same for 1, 4 and 16 followers of a clip, however they join."""
    clips, script = cosmos
    costs = []
    for count in (1, 4, 16):
        opened = await clips.add(await _clip(f"clip{count}"))
        script.served.clear()
        pauses = Pauses()
        followers = ClipFollowers(clips, pauses)
        streams = [followers.follow(opened.name, LONG) for _ in range(count)]
        for number, stream in enumerate(streams):
            await anext(stream)
            if number == 0:
                await pauses.end(5)
        await _close(streams)
        costs.append([served.operation for served in script.served if served.operation != "account"])

    assert costs == [["read"] * 6] * 3


async def _clip(clip_id: str) -> Clip:
    return await World().open(id=clip_id)


async def _close(streams: list[AsyncGenerator[Clip]]) -> None:
    for stream in streams:
        await stream.aclose()
