"""Limits without any service: the usage that a worker remembers and counts, and limits of turns and clips."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Literal

import pytest

from fakes.memory_clip_stores import NAME, World, recording
from fakes.scripted_ports import ScriptedUsageStore
from fakes.tone_words import script
from tests.clock import Clock
from voice_core.domain.errors import LimitReached, StageFailed, Unreachable
from voice_core.domain.events import Event, TurnCreated, TurnFailed
from voice_core.domain.limits import DAY_SECONDS, DailyQuota, Rate, Usage
from voice_core.usecases.clip.process_clip import process_clip
from voice_core.usecases.limits.audio_meter import AudioMeter
from voice_core.usecases.limits.local_usage import CACHE_SIZE, LocalUsage
from voice_core.usecases.limits.rate_limiter import LimitRules, RateLimiter, rate_limited_turn
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
def store() -> ScriptedUsageStore:
    return ScriptedUsageStore()


@pytest.fixture
def rate_limiter(store: ScriptedUsageStore, clock: Clock) -> RateLimiter:
    return RateLimiter(store, RULES, clock)


@pytest.fixture
def audio_meter(store: ScriptedUsageStore, clock: Clock) -> AudioMeter:
    return AudioMeter(store, RULES, clock)


async def sound(*chunks: bytes) -> AsyncGenerator[bytes]:
    for chunk in chunks:
        yield chunk


async def admissions(rate_limiter: RateLimiter, user: str = "ann", times: int = 1) -> list[bool]:
    return [(await rate_limiter.admit(user, "turns", hears=False)).admitted for _ in range(times)]


async def test_a_user_at_the_limit_is_refused_without_a_store_call(
    rate_limiter: RateLimiter, store: ScriptedUsageStore, clock: Clock
) -> None:
    """A user at a limit is refused locally until it resets; other users and kinds are not affected."""
    assert await admissions(rate_limiter, times=5) == [True, True, False, False, False]
    assert store.calls == 2
    assert await admissions(rate_limiter, "bob") == [True]
    assert (await rate_limiter.admit("ann", "speeches", hears=False)).admitted

    clock.now += 60
    store.calls = 0
    assert await admissions(rate_limiter) == [True]
    assert store.calls == 1


async def test_admissions_of_another_worker_are_read_once(
    rate_limiter: RateLimiter, store: ScriptedUsageStore, clock: Clock
) -> None:
    """Only the first refusal calls the store; those after it do not."""
    await admissions(RateLimiter(store, RULES, clock), times=2)
    store.calls = 0

    assert await admissions(rate_limiter, times=3) == [False] * 3
    assert store.calls == 1


async def test_the_cache_of_usage_is_bounded(rate_limiter: RateLimiter, store: ScriptedUsageStore) -> None:
    """When there are more users than the cache holds, the store is called again for the oldest."""
    for number in range(CACHE_SIZE + 1):
        await admissions(rate_limiter, str(number), times=2)
    store.calls = 0

    assert await admissions(rate_limiter, str(CACHE_SIZE)) + await admissions(rate_limiter, "0") == [False, False]
    assert store.calls == 1


@pytest.fixture
def open_limiter(store: ScriptedUsageStore, clock: Clock) -> RateLimiter:
    """A limiter that admits also while the store is unavailable."""
    return RateLimiter(store, replace(RULES, when_down="open"), clock)


def down(store: ScriptedUsageStore) -> None:
    store.failure = StageFailed("Unavailable.", stage="limits")


async def test_a_worker_counts_locally_while_the_store_is_down(
    open_limiter: RateLimiter, store: ScriptedUsageStore, clock: Clock
) -> None:
    """Each user has the full limit at each worker, and again when the window has passed; no user is without a limit."""
    down(store)

    assert await admissions(open_limiter, times=5) == [True, True, False, False, False]
    assert await admissions(open_limiter, "bob", times=3) == [True, True, False]
    clock.now += 60
    assert await admissions(open_limiter, times=3) == [True, True, False]


async def test_local_counting_continues_from_the_last_usage_read(
    open_limiter: RateLimiter, store: ScriptedUsageStore, clock: Clock
) -> None:
    """Admissions that the store returned before its outage count, those of other workers included."""
    await admissions(RateLimiter(store, RULES, clock))
    assert await admissions(open_limiter) == [True]
    down(store)

    assert await admissions(open_limiter) == [False]
    assert (await open_limiter.admit("ann", "speeches", hears=False)).admitted


async def test_local_admissions_still_count_when_the_store_is_back(
    open_limiter: RateLimiter, store: ScriptedUsageStore, clock: Clock
) -> None:
    """A store that fails now and then admits no more than one that works, or one that fails all the time."""
    for failure in (None, StageFailed("Unavailable.", stage="limits")) * 3:
        store.failure = failure
        await admissions(open_limiter)
    assert len(store.moments["ann", "turns"]) == 1
    assert await admissions(open_limiter) == [False]
    store.failure = None
    assert await admissions(open_limiter) == [False]
    clock.now += 60
    assert await admissions(open_limiter, times=3) == [True, True, False]


async def test_a_clock_that_is_set_back_locks_no_user_out(
    open_limiter: RateLimiter, store: ScriptedUsageStore, clock: Clock
) -> None:
    """Requests that were counted before count for one window from then on, and the store is called again."""
    assert await admissions(open_limiter, "bob", times=3) == [True, True, False]
    down(store)
    assert await admissions(open_limiter, times=3) == [True, True, False]
    clock.now -= 600
    assert await admissions(open_limiter) == [False]
    calls = store.calls
    await admissions(open_limiter, "bob")
    assert store.calls == calls + 1
    clock.now += 60
    assert await admissions(open_limiter, times=3) == [True, True, False]


async def test_sound_counts_locally_while_the_store_is_down(store: ScriptedUsageStore, clock: Clock) -> None:
    """Sound that could not be stored counts against the daily quota at once, and is stored with the next sound."""
    rules, local = replace(RULES, when_down="open"), LocalUsage()
    meter, limiter = AudioMeter(store, rules, clock, local), RateLimiter(store, rules, clock, local)
    down(store)
    for _ in range(4):
        await meter.add_audio("ann", 2_000)
    for _ in range(2):
        await meter.admit_audio("ann", 1_000)
    with pytest.raises(LimitReached):
        await meter.admit_audio("ann", 1_000)
    assert not (await limiter.admit("ann", "turns", hears=True)).admitted
    assert (await limiter.admit("ann", "turns", hears=False)).admitted
    store.failure = None
    assert not (await limiter.admit("ann", "turns", hears=True)).admitted
    await meter.add_audio("ann", 500)
    assert list(store.heard_ms.values()) == [10_500]
    clock.now += DAY_SECONDS
    assert (await limiter.admit("ann", "turns", hears=True)).admitted


async def test_a_local_refusal_has_an_exact_retry_time(
    open_limiter: RateLimiter, store: ScriptedUsageStore, clock: Clock
) -> None:
    """A user refused by local counting is admitted at the retry time; an admission reports no remainder."""
    down(store)
    assert (await open_limiter.admit("ann", "turns", hears=False)).left == ()
    await admissions(open_limiter)
    refusal = await refused(open_limiter)

    assert (refusal.retry_after, refusal.extra) == (61, {"violated-policies": ["turns"]})
    clock.now += 61
    assert await admissions(open_limiter) == [True]


async def test_concurrent_requests_are_counted_locally(open_limiter: RateLimiter, store: ScriptedUsageStore) -> None:
    """However many requests wait for the store at once, no more than the limit are admitted."""
    down(store)
    admitted = await asyncio.gather(*(admissions(open_limiter) for _ in range(40)))

    assert admitted.count([True]) == 2


async def test_the_longest_wait_is_reported(rate_limiter: RateLimiter, audio_meter: AudioMeter, clock: Clock) -> None:
    """When two limits are reached, the longer wait is reported; a limit that has reset is no longer named."""
    clock.now = 1000.5 * DAY_SECONDS
    await audio_meter.add_audio("ann", 10_000)
    await admissions(rate_limiter, times=2)
    both = await refused(rate_limiter)
    clock.now += 60
    one = await refused(rate_limiter)

    assert both.extra == {"violated-policies": ["turns", "audio"]}
    assert one.extra == {"violated-policies": ["audio"]}
    assert (both.retry_after, one.retry_after) == (DAY_SECONDS / 2 + 1, DAY_SECONDS / 2 - 60 + 1)


async def refused(rate_limiter: RateLimiter) -> LimitReached:
    """The error with which a spoken turn is refused."""
    with pytest.raises(LimitReached) as reached:
        (await rate_limiter.admit("ann", "turns", hears=True)).check()
    return reached.value


async def test_the_sound_that_was_read_is_counted(audio_meter: AudioMeter, store: ScriptedUsageStore) -> None:
    """An utterance read to its end counts completely, and one that is closed early counts as far as it was read."""
    chunks = [pcm async for pcm in audio_meter.metered("ann", sound(SECOND, SECOND))]
    left = audio_meter.metered("bob", sound(SECOND, SECOND))
    await anext(left)
    await left.aclose()
    await audio_meter.close()

    assert chunks == [SECOND, SECOND]
    assert {user: ms for (user, _), ms in store.heard_ms.items()} == {"ann": 2000, "bob": 1000}


async def test_an_utterance_without_sound_is_not_counted(audio_meter: AudioMeter, store: ScriptedUsageStore) -> None:
    """An utterance that is empty or was never read causes no call of the store."""
    assert [pcm async for pcm in audio_meter.metered("ann", sound())] == []
    await audio_meter.metered("ann", sound(SECOND)).aclose()
    await audio_meter.close()

    assert store.calls == 0


async def test_sound_that_cannot_be_counted_is_logged(
    audio_meter: AudioMeter, store: ScriptedUsageStore, caplog: pytest.LogCaptureFixture
) -> None:
    """The log states how much sound was not counted; no error is raised."""
    store.failure = StageFailed("Unavailable.", stage="limits")
    with caplog.at_level("INFO", logger="voice"):
        await audio_meter.add_audio("ann", 1500)

    assert "uncounted_ms=1500" in caplog.text


async def test_a_turn_that_is_not_admitted_is_not_taken(rate_limiter: RateLimiter) -> None:
    """The turn fails with its id, so that the client knows which it was, and no provider is called."""
    await admissions(rate_limiter, times=2)
    request = TurnRequest(user_id="ann", turn_id="t1", conversation_id="c1", begins=False, utterance=None, text="hi")

    def never(request: TurnRequest) -> AsyncGenerator[Event]:
        raise AssertionError(request)

    created, failed = [event async for event in rate_limited_turn(request, never, rate_limiter)]
    assert created == TurnCreated("t1", "c1")
    assert isinstance(failed, TurnFailed)
    assert failed.error.code == "limit-reached"


async def test_the_sound_of_a_clip_is_counted_once() -> None:
    """A clip counts with its length, however often it is processed."""
    world, (pcm, _) = World(), script(14.0)
    await world.open(recording(pcm))
    for _ in range(2):
        await process_clip(NAME, world.worker())

    assert sum(world.usage.heard_ms.values()) == round(len(pcm) / 32)


async def test_a_clip_beyond_the_daily_quota_fails() -> None:
    """The clip fails at once without recognition, and is not retried on another day."""
    world, (pcm, _) = World(), script(14.0)
    worker = world.worker()
    await worker.audio_meter.add_audio(NAME.user_id, 1_000_000)
    await world.open(recording(pcm))
    await process_clip(NAME, worker)

    assert world.clip.status == "failed"
    assert world.clip.failure is not None
    assert world.clip.failure.code == "limit-reached"
    assert not world.stt.billed


@pytest.mark.parametrize("when_down", ["open", "closed"])
async def test_clips_follow_the_setting_for_outages(clock: Clock, when_down: Literal["open", "closed"]) -> None:
    """While the store is unavailable, a clip is counted locally if the setting is open, and retried later otherwise."""
    store = ScriptedUsageStore(failure=StageFailed("Unavailable.", stage="limits"))
    meter = AudioMeter(store, replace(RULES, when_down=when_down), clock)
    if when_down == "open":
        await meter.check_audio("ann")
        await meter.admit_audio("ann", 10_000)
        expected: type[Exception] = LimitReached
    else:
        expected = Unreachable
    for call in (meter.check_audio("ann"), meter.admit_audio("ann", 1)):
        with pytest.raises(expected):
            await call


class SlowStore(ScriptedUsageStore):
    """A store that fails for the first calls, and answers the later ones only when `answered` is set."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.answered = asyncio.Event()
        self._failures = failures

    async def admit(self, user_id: str, rate: Rate, quota: DailyQuota | None, now: int) -> tuple[bool, Usage]:
        self._failures -= 1
        if self._failures >= 0:
            raise StageFailed("Away.", stage="limits")
        await self.answered.wait()
        return await super().admit(user_id, rate, quota, now)


async def test_a_store_that_fails_now_and_then_admits_no_more(clock: Clock) -> None:
    """Requests that the store admits, and those that the worker counts meanwhile, have one limit together."""
    store = SlowStore(failures=2)
    limiter = RateLimiter(store, replace(RULES, when_down="open"), clock)
    requests = [asyncio.create_task(limiter.admit("ann", "turns", hears=False)) for _ in range(8)]
    await asyncio.wait(requests[:2])
    store.answered.set()
    assert sum([(await request).admitted for request in requests]) == 2
