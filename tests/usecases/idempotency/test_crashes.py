"""One turn per key, whatever happens to its workers: they die, meet and freeze at every await."""

import asyncio
from contextvars import Context
from itertools import count

import pytest

from tests.idempotency_world import RULES, Frozen, Life, RequestUnderTest, World, ending, words_in
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict
from voice_core.domain.events import Event, TurnDone

REQUESTS = {
    "typed": RequestUnderTest(),
    "spoken in a conversation": RequestUnderTest(spoken=True, named=True),
    "speech file": RequestUnderTest(spoken=True, speech_file=True),
}
FEWEST = {"deaths": 200, "duplicates": 200, "freezes": 50}
"""Fewest points at which each is tried, over all of `REQUESTS`."""


async def settled(world: World) -> list[Event]:
    """The events that a client gets which retries after ``Retry-After``; a further retry must get the same."""
    events = await world.ask()
    if isinstance(ending(events), Conflict):
        world.requests.age(RULES.seconds)
        events = await world.ask()
    called = len(world.assistant.requests), world.stt.calls
    again = await world.ask()

    assert words_in(again) == words_in(events)
    assert (len(world.assistant.requests), world.stt.calls) == called
    assert [turn.interrupted for turn in world.stored] == [False]
    assert words_in(events)[2:] == (world.stored[0].transcript, world.stored[0].reply)
    return events


async def test_a_worker_may_die_at_any_step() -> None:
    """A worker that dies leaves no turn or one; a retry completes it, without a second reply if one was stored."""
    points = sum([await deaths(request) for request in REQUESTS.values()])
    print(points, "deaths")  # noqa: T201 - pytest -s shows it
    assert points >= FEWEST["deaths"]


async def deaths(request: RequestUnderTest) -> int:
    for step in count(1):
        world, delivered = World(request), list[Event]()
        life = Life(dies_at=step)
        await life.live(world.ask(life, into=delivered))
        if not life.dead:
            return step - 1
        stored, replies, recognitions = world.completed, len(world.assistant.requests), world.stt.calls
        events = await settled(world)

        assert len(world.assistant.requests) <= replies + (not stored), step
        assert world.stt.calls <= recognitions + (request.spoken and not stored), step
        if delivered and isinstance(delivered[-1], TurnDone):
            assert words_in(delivered) == words_in(events), step
    raise AssertionError("a turn has an end")


async def test_the_same_request_may_come_at_any_step() -> None:
    """One of two workers takes the turn; the other reports that it is in progress, or replays it."""
    points = sum([await meetings(request) for request in REQUESTS.values()])
    print(points, "duplicates")  # noqa: T201 - pytest -s shows it
    assert points >= FEWEST["duplicates"]


async def meetings(request: RequestUnderTest) -> int:
    for step in count(1):
        world = World(request)
        rival = Rival(world, step)
        life = Life(at=rival.meet)
        first = await life.live(world.ask(life))
        if rival.task is None:
            return step - 1
        both = [first, await rival.task]
        turns = [events for events in both if isinstance(ending(events), Turn)]

        assert len(world.assistant.requests) == 1, step
        assert {words_in(events) for events in turns} == {words_in(await settled(world))}, step
        assert all(isinstance(ending(events), Turn | Conflict) for events in both), step
    raise AssertionError("a turn has an end")


class Rival:
    """A second worker, which gets the same request when the first is at step *step*."""

    def __init__(self, world: World, step: int) -> None:
        self._world = world
        self._step = step
        self.task: asyncio.Task[list[Event]] | None = None

    def meet(self, step: int) -> None:
        if step == self._step:
            self.task = asyncio.create_task(self._world.ask(), context=Context())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_worker_may_freeze_at_any_call(after: bool) -> None:
    """A frozen worker counts as dead and a retry is answered; when it continues, it stores nothing and reports that."""
    points = sum([await freezes(request, after) for request in REQUESTS.values()])
    print(points, "freezes", "after" if after else "before", "the call")  # noqa: T201
    assert points >= FEWEST["freezes"]


async def freezes(request: RequestUnderTest, after: bool) -> int:
    for call in count(1):
        world = World(request)
        frozen = Frozen(call, after=after)
        late = asyncio.create_task(frozen.live(world.ask(frozen)))
        await frozen.frozen_or(late)
        if late.done():
            return call - 1
        world.requests.age(RULES.seconds)
        events = await settled(world)
        frozen.thawed.set()
        thawed = await late
        end = ending(thawed)

        where = (call, frozen.name)
        assert words_in(await settled(world)) == words_in(events), where
        if isinstance(end, Turn):
            assert words_in(thawed) == words_in(events), where
        else:
            assert end.code == "idempotency-running", where
    raise AssertionError("a turn has an end")
