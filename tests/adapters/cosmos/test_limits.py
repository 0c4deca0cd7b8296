"""What users have used, counted in Cosmos DB, on the emulator's real protocol."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from emulators.script import Script, Step
from tests.clock import Clock
from voice_core.adapters.cosmos import CosmosAdmissions, Database
from voice_core.domain.errors import StageFailed
from voice_core.domain.limits import DAY_SECONDS, DailyQuota, Rate, day

TURNS = Rate("turns", 3, 60)
SPEECHES = Rate("speeches", 3, 60)
HOUR = DailyQuota(3600)
MINUTE = 60_000
NOON = 20_000 * DAY_SECONDS * 1000 + DAY_SECONDS * 500
TOMORROW = NOON + DAY_SECONDS * 500
"""Midnight."""


@pytest.fixture
async def workers(voice: Database, script: Script) -> AsyncIterator[list[CosmosAdmissions]]:
    """Two that have nothing in common but the account."""
    opened = [CosmosAdmissions(voice, deadline_seconds=5.0) for _ in range(2)]
    for store in opened:
        await store.check()
    script.clear()
    yield opened
    await asyncio.gather(*(store.close() for store in opened))


@pytest.fixture
def store(workers: list[CosmosAdmissions]) -> CosmosAdmissions:
    return workers[0]


async def admitted(store: CosmosAdmissions, *moments: int, rate: Rate = TURNS, user: str = "ann") -> list[bool]:
    """Whether one more was admitted at each of *moments*."""
    return [(await store.admit(user, rate, None, moment))[0] for moment in moments]


async def test_as_many_are_admitted_as_there_may_be(store: CosmosAdmissions) -> None:
    """One more in the millisecond in which the first leaves the window, and not before."""
    assert await admitted(store, NOON, NOON + 1000, NOON + 2000, NOON + 3000) == [True, True, True, False]
    assert await admitted(store, NOON + MINUTE - 1, NOON + MINUTE, NOON + MINUTE) == [False, True, False]
    assert await admitted(store, NOON + MINUTE + 1000, NOON + MINUTE + 1999) == [True, False]


async def test_what_is_used_is_told(store: CosmosAdmissions) -> None:
    """The moments that count, newest first, and the sound, whether or not there is room."""
    await store.charge("ann", 1500, NOON)
    for moment in (NOON, NOON + 1, NOON + 2):
        assert (await store.admit("ann", TURNS, HOUR, moment))[0]
    assert not (await store.admit("ann", TURNS, HOUR, NOON + 3))[0]
    _, used = await store.admit("ann", TURNS, HOUR, NOON + 4)

    assert list(used.moments) == [NOON + 2, NOON + 1, NOON]
    assert (used.day, used.heard_ms) == (day(NOON), 1500)
    assert TURNS.left(used, NOON + 4).count == 0
    assert HOUR.left(used, NOON + 4).count == 3599


async def test_users_and_kinds_do_not_share(store: CosmosAdmissions) -> None:
    """What one has used up, another has whole; and so with kinds."""
    assert await admitted(store, *[NOON] * 4) == [True] * 3 + [False]
    assert await admitted(store, *[NOON] * 4, user="bob") == [True] * 3 + [False]
    assert await admitted(store, *[NOON] * 4, rate=SPEECHES) == [True] * 3 + [False]


async def test_an_admission_is_one_operation(store: CosmosAdmissions, script: Script) -> None:
    """After a user's first; a refusal is two, since the store says no more than no."""
    costs = []
    for rate in (TURNS, TURNS, TURNS, TURNS, SPEECHES, SPEECHES):
        script.served.clear()
        await admitted(store, NOON, rate=rate)
        # The SDK looks where the account is whenever it likes, beside what it is asked.
        costs.append([served.operation for served in script.served if served.operation != "account"])

    admits, first, refuses = ["patch"], ["patch", "create"], ["patch", "read"]
    assert costs == [first, admits, admits, refuses, admits, admits]


async def test_a_document_stays_small(store: CosmosAdmissions, script: Script) -> None:
    """What no longer counts is taken out now and then, at one operation in thirty admissions."""
    sizes = [len((await store.admit("ann", TURNS, None, NOON + number * MINUTE))[1].moments) for number in range(100)]
    replaced = sum(served.operation == "replace" for served in script.served)

    assert max(sizes) < 40
    assert replaced == 3
    assert await admitted(store, *[NOON + 99 * MINUTE] * 3) == [True, True, False]


async def test_a_limit_may_be_beyond_reach(store: CosmosAdmissions) -> None:
    """A million a minute cost no more than ten."""
    boundless = Rate("turns", 1_000_000, 60)
    used = [(await store.admit("ann", boundless, None, NOON + number))[1] for number in range(50)]

    assert len(used[-1].moments) == 50


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_workers_at_once_admit_no_more(workers: list[CosmosAdmissions], before: int) -> None:
    """Whether or not there is a document, or a ring in it: of many at the same moment as many as there may be."""
    if before:
        await admitted(workers[0], NOON, rate=(SPEECHES, TURNS)[before - 1])
    asked = [admitted(workers[number % 2], NOON) for number in range(12)]

    assert sum(sum(answer) for answer in await asyncio.gather(*asked)) == (2 if before == 2 else 3)


async def test_no_window_has_more_wherever_it_begins(workers: list[CosmosAdmissions]) -> None:
    """Hundreds of requests at random to two workers: each is admitted exactly if there was room."""
    chance, now, taken = random.Random(5), NOON, list[int]()
    for _ in range(300):
        now += chance.choice([0, 1, 10, 5_000, 19_999, 20_000, 59_999, MINUTE])
        room = sum(moment > now - MINUTE for moment in taken) < TURNS.most
        assert await admitted(chance.choice(workers), now) == [room]
        taken += [now] * room

    assert 100 < len(taken) < 300


async def test_requests_that_overtake_one_another_are_counted_exactly(workers: list[CosmosAdmissions]) -> None:
    """One that was asked before and arrives after is put down as late as the others: no window gets more by it."""
    taken, chance, now = list[int](), random.Random(6), NOON
    for _ in range(150):
        now += chance.choice([0, 5, 10_000, 20_000])
        asked = now - chance.choice([0, 0, 3, 5_000])
        taken += [asked] * (await admitted(chance.choice(workers), asked))[0]

    ordered = sorted(taken)
    assert len(taken) > 40
    assert all(later - first >= MINUTE for first, later in zip(ordered, ordered[TURNS.most :], strict=False))


async def test_a_raised_limit_counts_at_once(store: CosmosAdmissions) -> None:
    """What was admitted under the old one still counts, exactly."""
    raised = Rate("turns", 5, 60)
    await admitted(store, NOON, NOON + 1, NOON + 2)

    assert await admitted(store, *[NOON + 3] * 3, rate=raised) == [True, True, False]
    assert await admitted(store, NOON + MINUTE, NOON + MINUTE, rate=raised) == [True, False]


async def test_a_lowered_limit_counts_at_once(store: CosmosAdmissions) -> None:
    """There is room when all but as many as there may be have left the window."""
    lowered = Rate("turns", 2, 60)
    await admitted(store, NOON, NOON + 1, NOON + 2)

    assert await admitted(store, NOON + MINUTE, NOON + MINUTE + 1, NOON + MINUTE + 1, rate=lowered) == [
        False,
        True,
        False,
    ]


async def test_workers_with_different_limits_agree_on_what_was_used(workers: list[CosmosAdmissions]) -> None:
    """While a new limit is being rolled out, neither forgets what the other admitted."""
    new, old = workers
    lowered = Rate("turns", 2, 60)
    assert await admitted(old, NOON) + await admitted(new, NOON + 1, rate=lowered) == [True, True]
    assert await admitted(new, NOON + 2, rate=lowered) + await admitted(old, NOON + 3) == [False, True]
    assert await admitted(old, NOON + 4, NOON + MINUTE, NOON + MINUTE) == [False, True, False]


async def test_sound_is_used_up_for_a_day(store: CosmosAdmissions) -> None:
    """Nobody is admitted who has none left, whatever else they have; at midnight all is there again."""
    await store.charge("ann", 3_599_999, NOON)
    assert (await store.admit("ann", TURNS, HOUR, NOON))[0]
    await store.charge("ann", 60_000, NOON + 1)
    assert not (await store.admit("ann", TURNS, HOUR, NOON + 2))[0]
    assert not (await store.admit("ann", SPEECHES, HOUR, TOMORROW - 1))[0]

    assert (await store.admit("ann", TURNS, None, NOON + 2))[0]
    assert (await store.admit("ann", TURNS, HOUR, TOMORROW))[0]


async def test_a_charge_is_one_operation(store: CosmosAdmissions, script: Script) -> None:
    """Two for the first of a day; and one that is late counts for the day that it is."""
    await admitted(store, NOON)
    costs = []
    for moment in (NOON, NOON + 1, TOMORROW, NOON + 2):
        script.served.clear()
        await store.charge("ann", 1000, moment)
        costs.append(len(script.served))

    assert costs == [2, 1, 2, 1]
    used = await store.heard("ann")
    assert (used.day, used.heard_ms) == (day(TOMORROW), 2000)


async def test_charges_at_once_all_count(workers: list[CosmosAdmissions]) -> None:
    """Also those that begin a day, and those of a user of whom nothing was known."""
    await asyncio.gather(*(workers[number % 2].charge("ann", 10, NOON) for number in range(10)))
    await asyncio.gather(*(workers[number % 2].charge("ann", 10, TOMORROW) for number in range(6)))

    assert (await workers[0].heard("ann")).heard_ms == 60
    assert (await workers[0].heard("bob")).heard_ms == 0


async def test_what_counts_no_more_expires(store: CosmosAdmissions, clock: Clock, script: Script) -> None:
    """Two days after the last change; until then it is kept."""
    clips = Rate("clips", 1, DAY_SECONDS)
    assert await admitted(store, NOON, rate=clips) == [True]
    clock.now += DAY_SECONDS - 1
    assert await admitted(store, NOON + (DAY_SECONDS - 1) * 1000, rate=clips) == [False]
    clock.now += DAY_SECONDS + 2
    script.served.clear()
    assert await admitted(store, NOON + 2 * DAY_SECONDS * 1000, rate=clips) == [True]
    assert [served.operation for served in script.served] == ["patch", "create"]


async def test_a_conflict_inside_the_service_is_asked_again(store: CosmosAdmissions, script: Script) -> None:
    """449 says that another write was under way in the same document."""
    script.add("patch", Step(status=449), Step(status=449))
    assert await admitted(store, NOON) == [True]


async def test_a_store_that_fails_is_named(store: CosmosAdmissions, script: Script) -> None:
    """The stage is ``limits``, whatever was asked."""
    script.add("patch", Step(status=500, repeat=True))
    script.add("read", Step(status=500, repeat=True))
    for ask in (store.admit("ann", TURNS, HOUR, NOON), store.charge("ann", 1, NOON), store.heard("ann")):
        with pytest.raises(StageFailed) as failed:
            await ask
        assert failed.value.stage == "limits"
