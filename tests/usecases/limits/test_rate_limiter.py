"""Limits without any service: what one worker remembers, what it charges, and what turns and clips hear of it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Literal

import pytest

from tests.clock import Clock
from tests.memory_clip_stores import NAME, World, recording
from tests.scripted import ScriptedAdmissions
from tests.tone_words import script
from voice_core.domain.errors import LimitReached, StageFailed, Unreachable
from voice_core.domain.events import Event, TurnCreated, TurnFailed
from voice_core.domain.limits import DAY_SECONDS, DailyQuota, Rate
from voice_core.usecases.clip.process_clip import process_clip
from voice_core.usecases.limits.audio_meter import AudioMeter
from voice_core.usecases.limits.rate_limiter import REMEMBERED, LimitRules, RateLimiter, rate_limited_turn
from voice_core.usecases.turn.request import TurnRequest

RULES = LimitRules(
    rates={"turns": Rate("turns", 2, 60), "speeches": Rate("speeches", 1, 60)},
    quota=DailyQuota(10),
    when_down="closed",
)
SECOND = bytes(32_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> ScriptedAdmissions:
    return ScriptedAdmissions()


@pytest.fixture
def rate_limiter(store: ScriptedAdmissions, clock: Clock) -> RateLimiter:
    return RateLimiter(store, RULES, clock)


@pytest.fixture
def audio_meter(store: ScriptedAdmissions, clock: Clock) -> AudioMeter:
    return AudioMeter(store, clock)


async def sound(*chunks: bytes) -> AsyncGenerator[bytes]:
    for chunk in chunks:
        yield chunk


async def asks(rate_limiter: RateLimiter, user: str = "ann", times: int = 1) -> list[bool]:
    return [(await rate_limiter.admit(user, "turns", hears=False)).admitted for _ in range(times)]


async def test_who_has_used_all_is_refused_without_asking(
    rate_limiter: RateLimiter, store: ScriptedAdmissions, clock: Clock
) -> None:
    """From the last admission until there is room, for this user and kind alone."""
    assert await asks(rate_limiter, times=5) == [True, True, False, False, False]
    assert store.asked == 2
    assert await asks(rate_limiter, "bob") == [True]
    assert (await rate_limiter.admit("ann", "speeches", hears=False)).admitted

    clock.now += 60
    store.asked = 0
    assert await asks(rate_limiter) == [True]
    assert store.asked == 1


async def test_what_another_worker_admitted_is_learnt_once(
    rate_limiter: RateLimiter, store: ScriptedAdmissions, clock: Clock
) -> None:
    """The first refusal asks, those after it do not."""
    await asks(RateLimiter(store, RULES, clock), times=2)
    store.asked = 0

    assert await asks(rate_limiter, times=3) == [False] * 3
    assert store.asked == 1


async def test_as_many_are_remembered_as_memory_allows(rate_limiter: RateLimiter, store: ScriptedAdmissions) -> None:
    """Of more users than that, the first to be refused are asked for again."""
    for number in range(REMEMBERED + 1):
        await asks(rate_limiter, str(number), times=2)
    store.asked = 0

    assert await asks(rate_limiter, str(REMEMBERED)) + await asks(rate_limiter, "0") == [False, False]
    assert store.asked == 1


@pytest.fixture
def open_admission(store: ScriptedAdmissions, clock: Clock) -> RateLimiter:
    """Admits also when nobody counts."""
    return RateLimiter(store, replace(RULES, when_down="open"), clock)


def down(store: ScriptedAdmissions) -> None:
    store.failure = StageFailed("Nobody is there.", stage="limits")


async def test_a_worker_counts_by_itself_while_nobody_else_does(
    open_admission: RateLimiter, store: ScriptedAdmissions, clock: Clock
) -> None:
    """Each user has the limit at each worker, and again when the window has passed; none is without a limit."""
    down(store)

    assert await asks(open_admission, times=5) == [True, True, False, False, False]
    assert await asks(open_admission, "bob", times=3) == [True, True, False]
    clock.now += 60
    assert await asks(open_admission, times=3) == [True, True, False]


async def test_a_worker_goes_on_from_what_it_last_knew(
    open_admission: RateLimiter, store: ScriptedAdmissions, clock: Clock
) -> None:
    """What the store had counted before it was gone counts, other workers' admissions included."""
    await asks(RateLimiter(store, RULES, clock))
    assert await asks(open_admission) == [True]
    down(store)

    assert await asks(open_admission) == [False]
    assert (await open_admission.admit("ann", "speeches", hears=False)).admitted


async def test_the_store_decides_as_soon_as_it_is_back(open_admission: RateLimiter, store: ScriptedAdmissions) -> None:
    """What it did not count does not count against anybody; when it is gone again it does."""
    down(store)
    assert await asks(open_admission, times=3) == [True, True, False]
    store.failure = None
    assert await asks(open_admission) == [True]
    down(store)
    assert await asks(open_admission) == [False]


async def test_who_is_refused_by_a_worker_alone_is_told_when_to_come_back(
    open_admission: RateLimiter, store: ScriptedAdmissions, clock: Clock
) -> None:
    """And is admitted then; of who is admitted nobody knows what is left, so nothing is reported."""
    down(store)
    assert (await open_admission.admit("ann", "turns", hears=False)).left == ()
    await asks(open_admission)
    refusal = await refused(open_admission)

    assert (refusal.retry_after, refusal.extra) == (61, {"violated-policies": ["turns"]})
    clock.now += 61
    assert await asks(open_admission) == [True]


async def test_many_at_once_are_counted_by_a_worker_alone(
    open_admission: RateLimiter, store: ScriptedAdmissions
) -> None:
    """However many ask while the store is being waited for."""
    down(store)
    admitted = await asyncio.gather(*(asks(open_admission) for _ in range(40)))

    assert admitted.count([True]) == 2


async def test_the_longest_wait_is_told(rate_limiter: RateLimiter, audio_meter: AudioMeter, clock: Clock) -> None:
    """Where two limits are reached at once; half a day later the one that is left is told alone."""
    clock.now = 1000.5 * DAY_SECONDS
    await audio_meter.charge("ann", 10_000)
    await asks(rate_limiter, times=2)
    both = await refused(rate_limiter)
    clock.now += 60
    one = await refused(rate_limiter)

    assert both.extra == {"violated-policies": ["turns", "audio"]}
    assert one.extra == {"violated-policies": ["audio"]}
    assert (both.retry_after, one.retry_after) == (DAY_SECONDS / 2 + 1, DAY_SECONDS / 2 - 60 + 1)


async def refused(rate_limiter: RateLimiter) -> LimitReached:
    """What a spoken turn is refused with."""
    with pytest.raises(LimitReached) as reached:
        (await rate_limiter.admit("ann", "turns", hears=True)).check()
    return reached.value


async def test_as_much_as_was_taken_is_charged(audio_meter: AudioMeter, store: ScriptedAdmissions) -> None:
    """Of an utterance that is heard to its end, and of one that is left."""
    heard = [pcm async for pcm in audio_meter.metered("ann", sound(SECOND, SECOND))]
    left = audio_meter.metered("bob", sound(SECOND, SECOND))
    await anext(left)
    await left.aclose()
    await audio_meter.close()

    assert heard == [SECOND, SECOND]
    assert {user: ms for (user, _), ms in store.heard_ms.items()} == {"ann": 2000, "bob": 1000}


async def test_nothing_is_charged_for_nothing(audio_meter: AudioMeter, store: ScriptedAdmissions) -> None:
    """An utterance that was never begun, or is empty, is not even counted."""
    assert [pcm async for pcm in audio_meter.metered("ann", sound())] == []
    await audio_meter.metered("ann", sound(SECOND)).aclose()
    await audio_meter.close()

    assert store.asked == 0


async def test_a_charge_that_cannot_be_counted_is_told_the_operator(
    audio_meter: AudioMeter, store: ScriptedAdmissions, caplog: pytest.LogCaptureFixture
) -> None:
    """How much it was; the turn has nothing to do with it."""
    store.failure = StageFailed("Nobody is there.", stage="limits")
    with caplog.at_level("INFO", logger="voice"):
        await audio_meter.charge("ann", 1500)

    assert "uncharged_ms=1500" in caplog.text


async def test_a_turn_that_is_not_admitted_fails_unheard(rate_limiter: RateLimiter) -> None:
    """With its id, so that the client knows which it was; the turn itself is never asked for."""
    await asks(rate_limiter, times=2)
    said = TurnRequest(user_id="ann", turn_id="t1", conversation_id="c1", begins=False, utterance=None, text="hi")

    def never(said: TurnRequest) -> AsyncGenerator[Event]:
        raise AssertionError(said)

    created, failed = [event async for event in rate_limited_turn(said, never, rate_limiter)]
    assert created == TurnCreated("t1", "c1")
    assert isinstance(failed, TurnFailed)
    assert failed.error.code == "limit-reached"


async def test_a_clip_is_charged_as_it_is_heard() -> None:
    """As long as it lasts, however often it is worked on."""
    world, (pcm, _) = World(), script(14.0)
    await world.open(recording(pcm))
    for _ in range(2):
        await process_clip(NAME, world.worker())

    assert sum(world.admissions.heard_ms.values()) == round(len(pcm) / 32)


async def test_a_clip_without_sound_left_fails_unheard() -> None:
    """At once, though another day it would be heard: that is for its owner to decide."""
    world, (pcm, _) = World(), script(14.0)
    worker = world.worker()
    await worker.audio_meter.charge(NAME.user_id, 1_000_000)
    await world.open(recording(pcm))
    await process_clip(NAME, worker)

    assert world.clip.status == "failed"
    assert world.clip.failure is not None
    assert world.clip.failure.code == "limit-reached"
    assert not world.stt.billed


@pytest.mark.parametrize("when_down", ["open", "closed"])
async def test_a_clip_follows_the_choice_when_nobody_counts(clock: Clock, when_down: Literal["open", "closed"]) -> None:
    """Open: it is heard. Closed: it is tried again later."""
    store = ScriptedAdmissions(failure=StageFailed("Nobody is there.", stage="limits"))
    rate_limiter = RateLimiter(store, replace(RULES, when_down=when_down), clock)
    if when_down == "open":
        await rate_limiter.check_sound("ann")
    else:
        with pytest.raises(Unreachable):
            await rate_limiter.check_sound("ann")
