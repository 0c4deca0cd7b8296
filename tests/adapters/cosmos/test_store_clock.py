"""Workers whose clocks are wrong: limits hold, and no user is locked out for longer than their window."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from voice_core.adapters.cosmos import CosmosUsage, Database
from voice_core.domain.limits import SKEW_SECONDS, DailyQuota, LimitStatus, Rate
from voice_core.usecases.limits.rate_limiter import LimitRules, RateLimiter

RULES = LimitRules({"turns": Rate("turns", 10, 60)}, DailyQuota(1000), when_down="closed")
FAST, SLOW = 600.0, -600.0

Worker = Callable[[float], CosmosUsage]


@pytest.fixture
async def worker(voice: Database) -> AsyncIterator[Worker]:
    """The store of a worker whose clock is so many seconds ahead; it has not been connected yet."""
    async with AsyncExitStack() as stack:

        def new(ahead_seconds: float) -> CosmosUsage:
            store = CosmosUsage(voice, deadline_seconds=5.0, wall=lambda: time.time() + ahead_seconds)
            stack.push_async_callback(store.close)
            return store

        yield new


async def statuses(store: CosmosUsage, count: int) -> list[LimitStatus]:
    rate_limiter = RateLimiter(store, RULES, store.clock)
    return [await rate_limiter.admit("ann", "turns", hears=False) for _ in range(count)]


@pytest.mark.parametrize("wrong", [(FAST, 0.0), (SLOW, 0.0), (0.0, FAST), (0.0, SLOW), (FAST, SLOW)])
async def test_workers_with_wrong_clocks_keep_to_the_limit(worker: Worker, wrong: tuple[float, float]) -> None:
    """From their first contact with the store on they count as one worker does, and report waits within the window."""
    first, second = worker(wrong[0]), worker(wrong[1])
    seen = await statuses(first, 6) + await statuses(second, 6) + await statuses(worker(0.0), 1)

    assert [status.admitted for status in seen] == [True] * 10 + [False] * 3
    # Differences of up to a second and the time of a request cannot be seen.
    longest = RULES.rates["turns"].window_seconds + SKEW_SECONDS + 5
    assert all(left.wait_seconds <= longest for status in seen for left in status.left)


async def test_a_clock_that_may_be_right_is_not_corrected(worker: Worker) -> None:
    """The responses are dated to the second; a worker's clock is used as it is if they do not contradict it."""
    store = worker(0.0)
    await statuses(store, 2)

    assert store.clock.ahead_seconds == 0.0


async def test_a_wrong_clock_is_corrected_to_within_seconds(worker: Worker) -> None:
    """The correction is as large as the error, but for the resolution of the date and the time of a request."""
    for ahead_seconds in (FAST, SLOW):
        store = worker(ahead_seconds)
        await store.check()
        assert abs(store.clock() - time.time()) < 5
