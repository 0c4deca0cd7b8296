"""Users' rate limits and quotas, counted in Cosmos DB, on the emulator's real protocol."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from emulators.script import Script, Step
from tests.clock import Clock
from voice_core.adapters.cosmos import CosmosUsage, Database
from voice_core.domain.errors import StageFailed
from voice_core.domain.limits import DAY_SECONDS, DailyQuota, Rate, day

TURNS = Rate("turns", 3, 60)
SPEECHES = Rate("speeches", 3, 60)
HOUR = DailyQuota(3600)
MINUTE = 60_000
NOON = 20_000 * DAY_SECONDS * 1000 + DAY_SECONDS * 500
TOMORROW = NOON + DAY_SECONDS * 500
"""The midnight after `NOON`, when a new day begins."""


@pytest.fixture
async def workers(voice: Database, script: Script) -> AsyncIterator[list[CosmosUsage]]:
    """Two stores, as of two workers, that share only the account."""
    opened = [CosmosUsage(voice, deadline_seconds=5.0) for _ in range(2)]
    for store in opened:
        await store.check()
    script.clear()
    yield opened
    await asyncio.gather(*(store.close() for store in opened))


@pytest.fixture
def store(workers: list[CosmosUsage]) -> CosmosUsage:
    return workers[0]


async def admitted(store: CosmosUsage, *moments: int, rate: Rate = TURNS, user: str = "ann") -> list[bool]:
    """For each of *moments*, whether a request at that time was admitted."""
    return [(await store.admit(user, rate, None, moment))[0] for moment in moments]


async def test_the_limit_applies_to_a_sliding_window(store: CosmosUsage) -> None:
    """A further request is admitted in the millisecond in which the first leaves the window, and not before."""
    assert await admitted(store, NOON, NOON + 1000, NOON + 2000, NOON + 3000) == [True, True, True, False]
    assert await admitted(store, NOON + MINUTE - 1, NOON + MINUTE, NOON + MINUTE) == [False, True, False]
    assert await admitted(store, NOON + MINUTE + 1000, NOON + MINUTE + 1999) == [True, False]


async def test_the_usage_is_returned(store: CosmosUsage) -> None:
    """Admissions and refusals return the times that count, newest first, and the audio that was used."""
    await store.add_audio("ann", 1500, NOON)
    for moment in (NOON, NOON + 1, NOON + 2):
        assert (await store.admit("ann", TURNS, HOUR, moment))[0]
    assert not (await store.admit("ann", TURNS, HOUR, NOON + 3))[0]
    _, used = await store.admit("ann", TURNS, HOUR, NOON + 4)

    assert list(used.moments) == [NOON + 2, NOON + 1, NOON]
    assert (used.day, used.heard_ms) == (day(NOON), 1500)
    assert TURNS.left(used, NOON + 4).count == 0
    assert HOUR.left(used, NOON + 4).count == 3599


async def test_users_and_kinds_have_separate_limits(store: CosmosUsage) -> None:
    """One user's requests do not count for another user, nor one kind's requests for another kind."""
    assert await admitted(store, *[NOON] * 4) == [True] * 3 + [False]
    assert await admitted(store, *[NOON] * 4, user="bob") == [True] * 3 + [False]
    assert await admitted(store, *[NOON] * 4, rate=SPEECHES) == [True] * 3 + [False]


async def test_an_admission_is_one_operation(store: CosmosUsage, script: Script) -> None:
    """After a user's first request an admission is one operation, and a refusal two, as it has to read the usage."""
    costs = []
    for rate in (TURNS, TURNS, TURNS, TURNS, SPEECHES, SPEECHES):
        script.served.clear()
        await admitted(store, NOON, rate=rate)
        # The SDK also requests the account's properties, at times of its own choice.
        costs.append([served.operation for served in script.served if served.operation != "account"])

    admits, first, refuses = ["patch"], ["patch", "create"], ["patch", "read"]
    assert costs == [first, admits, admits, refuses, admits, admits]


async def test_a_document_stays_small(store: CosmosUsage, script: Script) -> None:
    """Times that no longer count are removed from time to time, with one operation in thirty admissions."""
    sizes = [len((await store.admit("ann", TURNS, None, NOON + number * MINUTE))[1].moments) for number in range(100)]
    replaced = sum(served.operation == "replace" for served in script.served)

    assert max(sizes) < 40
    assert replaced == 3
    assert await admitted(store, *[NOON + 99 * MINUTE] * 3) == [True, True, False]


async def test_a_very_high_limit_costs_no_more(store: CosmosUsage) -> None:
    """With a limit of a million requests per minute, only the requests that were made are stored."""
    boundless = Rate("turns", 1_000_000, 60)
    used = [(await store.admit("ann", boundless, None, NOON + number))[1] for number in range(50)]

    assert len(used[-1].moments) == 50


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_concurrent_workers_keep_to_the_limit(workers: list[CosmosUsage], before: int) -> None:
    """Concurrent requests are admitted up to the limit, with or without a document and a ring for the kind in it."""
    if before:
        await admitted(workers[0], NOON, rate=(SPEECHES, TURNS)[before - 1])
    calls = [admitted(workers[number % 2], NOON) for number in range(12)]

    assert sum(sum(result) for result in await asyncio.gather(*calls)) == (2 if before == 2 else 3)


async def test_no_window_exceeds_the_limit(workers: list[CosmosUsage]) -> None:
    """Each of hundreds of requests at random times to two workers is admitted if and only if the limit allows it."""
    chance, now, taken = random.Random(5), NOON, list[int]()
    for _ in range(300):
        now += chance.choice([0, 1, 10, 5_000, 19_999, 20_000, 59_999, MINUTE])
        room = sum(moment > now - MINUTE for moment in taken) < TURNS.most
        assert await admitted(chance.choice(workers), now) == [room]
        taken += [now] * room

    assert 100 < len(taken) < 300


async def test_requests_that_arrive_out_of_order_are_counted(workers: list[CosmosUsage]) -> None:
    """A request that arrives late is stored as late as those before it, so that no window exceeds the limit."""
    taken, chance, now = list[int](), random.Random(6), NOON
    for _ in range(150):
        now += chance.choice([0, 5, 10_000, 20_000])
        moment = now - chance.choice([0, 0, 3, 5_000])
        taken += [moment] * (await admitted(chance.choice(workers), moment))[0]

    ordered = sorted(taken)
    assert len(taken) > 40
    assert all(later - first >= MINUTE for first, later in zip(ordered, ordered[TURNS.most :], strict=False))


async def test_a_raised_limit_counts_at_once(store: CosmosUsage) -> None:
    """Requests that were admitted under the old limit still count, exactly."""
    raised = Rate("turns", 5, 60)
    await admitted(store, NOON, NOON + 1, NOON + 2)

    assert await admitted(store, *[NOON + 3] * 3, rate=raised) == [True, True, False]
    assert await admitted(store, NOON + MINUTE, NOON + MINUTE, rate=raised) == [True, False]


async def test_a_lowered_limit_counts_at_once(store: CosmosUsage) -> None:
    """A request is admitted only after enough earlier ones have left the window for the new limit."""
    lowered = Rate("turns", 2, 60)
    await admitted(store, NOON, NOON + 1, NOON + 2)

    assert await admitted(store, NOON + MINUTE, NOON + MINUTE + 1, NOON + MINUTE + 1, rate=lowered) == [
        False,
        True,
        False,
    ]


async def test_workers_with_different_limits_agree_on_what_was_used(workers: list[CosmosUsage]) -> None:
    """While a new limit is rolled out, each worker counts what the others admitted."""
    new, old = workers
    lowered = Rate("turns", 2, 60)
    assert await admitted(old, NOON) + await admitted(new, NOON + 1, rate=lowered) == [True, True]
    assert await admitted(new, NOON + 2, rate=lowered) + await admitted(old, NOON + 3) == [False, True]
    assert await admitted(old, NOON + 4, NOON + MINUTE, NOON + MINUTE) == [False, True, False]


async def test_the_audio_quota_is_renewed_at_midnight(store: CosmosUsage) -> None:
    """A user whose audio quota is used up is refused, whatever their rate limits allow, until midnight."""
    await store.add_audio("ann", 3_599_999, NOON)
    assert (await store.admit("ann", TURNS, HOUR, NOON))[0]
    await store.add_audio("ann", 60_000, NOON + 1)
    assert not (await store.admit("ann", TURNS, HOUR, NOON + 2))[0]
    assert not (await store.admit("ann", SPEECHES, HOUR, TOMORROW - 1))[0]

    assert (await store.admit("ann", TURNS, None, NOON + 2))[0]
    assert (await store.admit("ann", TURNS, HOUR, TOMORROW))[0]


async def test_adding_usage_is_one_operation(store: CosmosUsage, script: Script) -> None:
    """The first of a day is two operations; one that arrives late is added to the stored day."""
    await admitted(store, NOON)
    costs = []
    for moment in (NOON, NOON + 1, TOMORROW, NOON + 2):
        script.served.clear()
        await store.add_audio("ann", 1000, moment)
        costs.append(len(script.served))

    assert costs == [2, 1, 2, 1]
    used = await store.audio_usage("ann")
    assert (used.day, used.heard_ms) == (day(TOMORROW), 2000)


async def test_concurrent_usage_is_all_counted(workers: list[CosmosUsage]) -> None:
    """All concurrent additions count, also the first ones of a day and of a new user."""
    await asyncio.gather(*(workers[number % 2].add_audio("ann", 10, NOON) for number in range(10)))
    await asyncio.gather(*(workers[number % 2].add_audio("ann", 10, TOMORROW) for number in range(6)))

    assert (await workers[0].audio_usage("ann")).heard_ms == 60
    assert (await workers[0].audio_usage("bob")).heard_ms == 0


async def test_sound_is_admitted_before_it_is_recognised(workers: list[CosmosUsage]) -> None:
    """Concurrent admissions by two workers are counted as long as the quota has room for the beginning of one."""
    minute = DailyQuota(60)
    calls = (workers[number % 2].admit_audio("ann", 25_000, minute, NOON) for number in range(12))
    verdicts = await asyncio.gather(*calls)

    assert sum(admitted for admitted, _ in verdicts) == 3
    assert (await workers[0].audio_usage("ann")).heard_ms == 75_000
    assert not (await workers[1].admit_audio("ann", 1, minute, TOMORROW - 1))[0]
    assert (await workers[1].admit_audio("ann", 1, minute, TOMORROW))[0]


async def test_admitting_sound_is_one_operation(store: CosmosUsage, script: Script) -> None:
    """The first of a day is three operations, and a refusal two."""
    await admitted(store, NOON)
    costs = []
    for moment in (NOON, NOON + 1, NOON + 2, TOMORROW):
        script.served.clear()
        await store.admit_audio("ann", 40_000, DailyQuota(60), moment)
        costs.append([served.operation for served in script.served])

    assert costs == [["patch", "read", "patch"], ["patch"], ["patch", "read"], ["patch", "read", "patch"]]


async def test_usage_that_no_longer_counts_expires(store: CosmosUsage, clock: Clock, script: Script) -> None:
    """A user's document expires two days after its last change, and not before."""
    clips = Rate("clips", 1, DAY_SECONDS)
    assert await admitted(store, NOON, rate=clips) == [True]
    clock.now += DAY_SECONDS - 1
    assert await admitted(store, NOON + (DAY_SECONDS - 1) * 1000, rate=clips) == [False]
    clock.now += DAY_SECONDS + 2
    script.served.clear()
    assert await admitted(store, NOON + 2 * DAY_SECONDS * 1000, rate=clips) == [True]
    assert [served.operation for served in script.served] == ["patch", "create"]


async def test_a_conflict_inside_the_service_is_retried(store: CosmosUsage, script: Script) -> None:
    """A 449, which means that another write of the same document was in progress, is retried."""
    script.add("patch", Step(status=449), Step(status=449))
    assert await admitted(store, NOON) == [True]


async def test_a_store_that_fails_is_named(store: CosmosUsage, script: Script) -> None:
    """The stage of the error is ``limits`` for every call."""
    script.add("patch", Step(status=500, repeat=True))
    script.add("read", Step(status=500, repeat=True))
    for call in (store.admit("ann", TURNS, HOUR, NOON), store.add_audio("ann", 1, NOON), store.audio_usage("ann")):
        with pytest.raises(StageFailed) as failed:
            await call
        assert failed.value.stage == "limits"
