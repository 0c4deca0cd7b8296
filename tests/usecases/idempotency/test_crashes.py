"""One turn a key, whatever becomes of the workers that are at it: at every await they die, meet and freeze."""

import asyncio
from contextvars import Context
from itertools import count

import pytest

from tests.idempotency_world import RULES, Asking, Frozen, Life, World, ending, said_in
from voice_core.domain.conversation import Turn
from voice_core.domain.errors import Conflict
from voice_core.domain.events import Event, TurnDone

ASKINGS = {
    "typed": Asking(),
    "spoken in a conversation": Asking(spoken=True, named=True),
    "kept": Asking(spoken=True, kept=True),
}
FEWEST = {"deaths": 200, "duplicates": 200, "freezes": 50}
"""Points at which each is tried, all askings together."""


async def settled(world: World) -> list[Event]:
    """What a client gets that asks again as it is told to, and then once more: the same."""
    events = await world.ask()
    if isinstance(ending(events), Conflict):
        world.requests.age(RULES.seconds)
        events = await world.ask()
    called = len(world.assistant.told), world.stt.calls
    again = await world.ask()

    assert said_in(again) == said_in(events)
    assert (len(world.assistant.told), world.stt.calls) == called
    assert [turn.interrupted for turn in world.stored] == [False]
    assert said_in(events)[2:] == (world.stored[0].transcript, world.stored[0].reply)
    return events


async def test_a_worker_may_die_at_any_step() -> None:
    """It leaves nothing or the one turn; the retry completes it, without a second reply where that was stored."""
    points = sum([await deaths(asking) for asking in ASKINGS.values()])
    print(points, "deaths")  # noqa: T201 - pytest -s shows it
    assert points >= FEWEST["deaths"]


async def deaths(asking: Asking) -> int:
    for step in count(1):
        world, told = World(asking), list[Event]()
        life = Life(dies_at=step)
        await life.live(world.ask(life, into=told))
        if not life.dead:
            return step - 1
        stored, replies, hearings = world.answered, len(world.assistant.told), world.stt.calls
        events = await settled(world)

        assert len(world.assistant.told) <= replies + (not stored), step
        assert world.stt.calls <= hearings + (asking.spoken and not stored), step
        if told and isinstance(told[-1], TurnDone):
            assert said_in(told) == said_in(events), step
    raise AssertionError("a turn has an end")


async def test_the_same_request_may_come_at_any_step() -> None:
    """Of two workers one takes the turn; the other says that it is under way, or tells it again."""
    points = sum([await meetings(asking) for asking in ASKINGS.values()])
    print(points, "duplicates")  # noqa: T201 - pytest -s shows it
    assert points >= FEWEST["duplicates"]


async def meetings(asking: Asking) -> int:
    for step in count(1):
        world = World(asking)
        rival = Rival(world, step)
        life = Life(at=rival.meet)
        first = await life.live(world.ask(life))
        if rival.task is None:
            return step - 1
        events = [first, await rival.task]
        turns = [told for told in events if isinstance(ending(told), Turn)]

        assert len(world.assistant.told) == 1, step
        assert {said_in(told) for told in turns} == {said_in(await settled(world))}, step
        assert all(isinstance(ending(told), Turn | Conflict) for told in events), step
    raise AssertionError("a turn has an end")


class Rival:
    """A second worker that gets the same request at the first one's step of a number."""

    def __init__(self, world: World, step: int) -> None:
        self._world = world
        self._step = step
        self.task: asyncio.Task[list[Event]] | None = None

    def meet(self, step: int) -> None:
        if step == self._step:
            self.task = asyncio.create_task(self._world.ask(), context=Context())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_worker_may_freeze_at_any_call(after: bool) -> None:
    """It is taken for dead, the retry is answered, and then it goes on: it stores nothing, and says so."""
    points = sum([await freezes(asking, after) for asking in ASKINGS.values()])
    print(points, "freezes", "after" if after else "before", "the call")  # noqa: T201
    assert points >= FEWEST["freezes"]


async def freezes(asking: Asking, after: bool) -> int:
    for call in count(1):
        world = World(asking)
        frozen = Frozen(call, after=after)
        late = asyncio.create_task(frozen.live(world.ask(frozen)))
        await frozen.frozen_or(late)
        if late.done():
            return call - 1
        world.requests.age(RULES.seconds)
        events = await settled(world)
        frozen.thawed.set()
        told = await late
        end = ending(told)

        where = (call, frozen.name)
        assert said_in(await settled(world)) == said_in(events), where
        if isinstance(end, Turn):
            assert said_in(told) == said_in(events), where
        else:
            assert end.code == "idempotency-running", where
    raise AssertionError("a turn has an end")
