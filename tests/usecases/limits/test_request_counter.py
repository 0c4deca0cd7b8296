"""Limits that a worker counts by itself: requests that read or change, and open streams."""

import gc

import pytest

from tests.clock import Clock
from voice_core.domain.errors import LimitReached
from voice_core.domain.limits import Rate
from voice_core.usecases.limits.local_usage import CACHE_SIZE
from voice_core.usecases.limits.request_counter import RequestCounter
from voice_core.usecases.limits.stream_slots import StreamSlots


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counter(clock: Clock) -> RequestCounter:
    return RequestCounter({"reads": Rate("reads", 2, 60), "changes": Rate("changes", 1, 60)}, clock)


def admitted(counter: RequestCounter, times: int, user: str = "ann") -> list[bool]:
    return [counter.admit(user, "reads").admitted for _ in range(times)]


def test_requests_are_admitted_up_to_the_limit(counter: RequestCounter, clock: Clock) -> None:
    """A window ends after its time, whatever was refused in it; users and kinds are separate."""
    assert admitted(counter, 3) == [True, True, False]
    assert admitted(counter, 1, "bob") == [True]
    assert counter.admit("ann", "changes").admitted
    clock.now += 59
    assert admitted(counter, 1) == [False]
    clock.now += 1
    assert admitted(counter, 3) == [True, True, False]


def test_a_refused_client_is_admitted_after_the_reported_wait(counter: RequestCounter, clock: Clock) -> None:
    """The remainder and the wait are exact."""
    first = counter.admit("ann", "reads").left[0]
    clock.now += 20
    admitted(counter, 1)
    (last,) = counter.admit("ann", "reads").left

    assert (first.count, first.wait_seconds) == (1, 60)
    assert (last.count, last.wait_seconds) == (0, 40)
    clock.now += last.wait_seconds
    assert admitted(counter, 1) == [True]


def test_the_windows_are_bounded(counter: RequestCounter) -> None:
    """With more users than a worker remembers, the window of the one that began first is dropped."""
    assert admitted(counter, 3, "first") == [True, True, False]
    for number in range(CACHE_SIZE):
        admitted(counter, 1, str(number))

    assert admitted(counter, 1, "first") == [True]
    assert admitted(counter, 2, str(CACHE_SIZE - 1)) == [True, False]


def test_a_user_has_so_many_streams_at_a_time() -> None:
    """One more is refused until another one ends, also one that was never begun."""
    slots = StreamSlots("event-streams", 2)
    first, second = slots.acquire("ann"), slots.acquire("ann")
    with pytest.raises(LimitReached) as refused:
        slots.acquire("ann")
    assert slots.acquire("bob")
    with first.held():
        pass
    third = slots.acquire("ann")
    with pytest.raises(LimitReached):
        slots.acquire("ann")
    del second
    gc.collect()
    assert slots.acquire("ann")
    assert third
    assert refused.value.retry_after
    assert refused.value.extra == {"violated-policies": ["event-streams"]}
