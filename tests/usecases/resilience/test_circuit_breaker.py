"""When a provider is left alone, and when it is tried again."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tests.clock import Clock
from tests.virtual_time import block, in_virtual_time
from voice_core.domain.errors import (
    Misconfigured,
    NotFound,
    ReplyRefused,
    StageFailed,
    StageTimedOut,
    Throttled,
    Unavailable,
    Unreachable,
    VoiceError,
)
from voice_core.usecases.resilience.circuit_breaker import Attempt, CircuitBreaker
from voice_core.usecases.resilience.guarded import Guard

STAGE = "assistant"


def broken(code: str = "stage-failed") -> StageFailed:
    return StageFailed("It broke.", stage=STAGE, code=code)


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


def breaker_of(clock: Clock, failures: int = 2) -> CircuitBreaker:
    return CircuitBreaker("assistant", failures=failures, seconds=15.0, clock=clock)


def state_of(breaker: CircuitBreaker) -> str:
    return breaker.state


def guard_of(breaker: CircuitBreaker) -> Guard:
    return Guard(STAGE, breaker, patience_seconds=1.0)


async def asked(guard: Guard, error: VoiceError | None = None) -> None:
    async def ask() -> None:
        if error:
            raise error

    await guard.call(ask)


async def fails(guard: Guard, error: VoiceError, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(type(error)):
            await asked(guard, error)


@pytest.mark.parametrize(
    "error",
    [broken(), StageTimedOut("Late."), Throttled("Slow down."), Unreachable("Nobody there.")],
    ids=lambda error: error.code,
)
async def test_failures_in_a_row_open_it(clock: Clock, error: StageFailed) -> None:
    """After so many the provider is not asked, and the caller hears at once, with the time to come back."""
    breaker = breaker_of(clock, failures=3)
    guard = guard_of(breaker)
    await fails(guard, error, times=2)
    assert state_of(breaker) == "closed"
    await fails(guard, error)
    assert state_of(breaker) == "open"

    with pytest.raises(Unavailable) as refused:
        await asked(guard)
    assert (refused.value.code, refused.value.stage, refused.value.retryable) == ("stage-unavailable", STAGE, True)
    assert refused.value.retry_after == 15


@pytest.mark.parametrize(
    "error",
    [
        Misconfigured("Who are you?"),
        NotFound("It is not there."),
        ReplyRefused("No."),
        StageFailed("A bad request.", retryable=False),
        broken("reply-empty"),
    ],
    ids=lambda error: f"{error.code} {error.retryable}",
)
async def test_an_answer_is_no_failure(clock: Clock, error: VoiceError) -> None:
    """Whoever refuses is there: a wrong key, a filter, a request of ours that is wrong."""
    breaker = breaker_of(clock, failures=1)
    await fails(guard_of(breaker), error, times=5)
    assert state_of(breaker) == "closed"


async def test_a_success_forgets_failures(clock: Clock) -> None:
    """Only failures in a row count."""
    breaker = breaker_of(clock, failures=2)
    guard = guard_of(breaker)
    for _ in range(3):
        await fails(guard, broken())
        await asked(guard)
    assert state_of(breaker) == "closed"


async def test_failures_far_apart_do_not_count(clock: Clock) -> None:
    """One an hour is no outage."""
    breaker = breaker_of(clock, failures=2)
    await fails(guard_of(breaker), broken())
    clock.now += 3600
    await fails(guard_of(breaker), broken())
    assert state_of(breaker) == "closed"


async def test_a_throttle_opens_it_for_as_long_as_it_says(clock: Clock) -> None:
    """One is enough when it says how long; nobody else is sent there before."""
    breaker = breaker_of(clock, failures=5)
    guard = guard_of(breaker)
    await fails(guard, Throttled("Slow down.", retry_after=20))
    with pytest.raises(Unavailable) as refused:
        await asked(guard)
    assert refused.value.retry_after == 20


async def test_a_throttle_does_not_close_it_for_hours(clock: Clock) -> None:
    """A provider that wants to be left alone until tomorrow is tried again in a minute."""
    breaker = breaker_of(clock)
    guard = guard_of(breaker)
    await fails(guard, Throttled("Slow down.", retry_after=86_400))
    with pytest.raises(Unavailable) as refused:
        await asked(guard)
    assert refused.value.retry_after == 60


async def test_half_open_lets_one_through(clock: Clock) -> None:
    """Of those who come when the time is over one finds out, and the others are told to come back in a second."""
    breaker = breaker_of(clock, failures=1)
    guard = guard_of(breaker)
    await fails(guard, broken())
    clock.now += 15
    assert state_of(breaker) == "half-open"
    found_out = asyncio.Event()
    trial = asyncio.create_task(guard.call(found_out.wait))
    await asyncio.sleep(0)

    with pytest.raises(Unavailable) as refused:
        await asked(guard)
    assert refused.value.retry_after == 1
    found_out.set()
    await trial
    assert state_of(breaker) == "closed"
    await asked(guard)


async def test_a_failed_trial_opens_it_again(clock: Clock) -> None:
    """One is enough."""
    breaker = breaker_of(clock, failures=3)
    guard = guard_of(breaker)
    await fails(guard, broken(), times=3)
    clock.now += 15
    assert state_of(breaker) == "half-open"
    await fails(guard, broken())
    assert state_of(breaker) == "open"


@pytest.mark.parametrize("error", [Misconfigured("Who are you?"), asyncio.CancelledError()], ids=["refused", "left"])
async def test_a_trial_that_says_nothing_leaves_room_for_another(clock: Clock, error: BaseException) -> None:
    """Somebody who leaves does not keep the others out."""
    breaker = breaker_of(clock, failures=1)
    guard = guard_of(breaker)
    await fails(guard, broken())
    clock.now += 15
    assert state_of(breaker) == "half-open"
    attempt = breaker.begin(STAGE)
    attempt.end(error, 1.0)
    await asked(guard)
    assert state_of(breaker) == "closed"


async def test_stragglers_change_nothing(clock: Clock) -> None:
    """Calls from before it opened neither close it when they succeed nor keep it open when they fail."""
    breaker = breaker_of(clock, failures=1)
    well, unwell = breaker.begin(STAGE), breaker.begin(STAGE)
    await fails(guard_of(breaker), broken())
    well.end(None, 1.0)
    assert state_of(breaker) == "open"
    clock.now += 15
    assert state_of(breaker) == "half-open"
    unwell.end(broken(), 1.0)
    assert state_of(breaker) == "half-open"


async def test_a_first_item_closes_it(clock: Clock) -> None:
    """A trial that streams for minutes has shown with its first item that the provider is there."""
    breaker = breaker_of(clock, failures=1)
    guard = guard_of(breaker)
    await fails(guard, broken())
    clock.now += 15
    assert state_of(breaker) == "half-open"
    stream = guard.stream(lambda _: items(1, 2))
    await anext(stream)
    assert state_of(breaker) == "closed"
    await stream.aclose()


async def test_a_stream_that_breaks_off_is_a_failure(clock: Clock) -> None:
    """However much came before."""
    breaker = breaker_of(clock, failures=2)
    guard = guard_of(breaker)
    for _ in range(2):
        with pytest.raises(StageFailed):
            _ = [item async for item in guard.stream(lambda _: items(1, 2, then=broken()))]
    assert state_of(breaker) == "open"


@pytest.mark.parametrize(
    ("waits", "stalls", "state"), [(1.0, 0.0, "open"), (0.5, 0.0, "closed"), (0.5, 60.0, "closed"), (1.0, 60.0, "open")]
)
def test_a_wait_cut_off_at_the_deadline_is_a_failure(waits: float, stalls: float, state: str) -> None:
    """Whoever waits for a provider keeps the deadline of 1 s, in which a stall of our own event loop is not counted."""
    breaker = breaker_of(Clock(), failures=1)

    async def cut_off() -> None:
        ask = guard_of(breaker).stream(lambda attempt: attempt.waiting(silence()))
        waiting = asyncio.ensure_future(anext(ask))
        await asyncio.sleep(0)
        block(stalls)
        await asyncio.sleep(waits)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    in_virtual_time(cut_off())
    assert state_of(breaker) == state


async def test_somebody_who_leaves_is_no_failure(clock: Clock) -> None:
    """To hang up before the deadline says nothing about the provider, nor does a wait for the speaker."""
    breaker = breaker_of(clock, failures=1)
    for ask in (lambda attempt: attempt.waiting(silence()), lambda _: silence()):
        waiting = asyncio.create_task(anext(guard_of(breaker).stream(ask)))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert state_of(breaker) == "closed"


async def test_an_attempt_waits_from_when_it_is_told_to(clock: Clock) -> None:
    """Recognition is waited for from the end of the utterance, however long that took."""
    breaker = breaker_of(clock, failures=1)
    attempt = Attempt(breaker, clock)
    clock.now += 60
    attempt.waits()
    attempt.end(asyncio.CancelledError(), 10.0)
    assert state_of(breaker) == "closed"


async def items(*given: int, then: Exception | None = None) -> AsyncGenerator[int]:
    for item in given:
        yield item
    if then:
        raise then


async def silence() -> AsyncGenerator[int]:
    await asyncio.Event().wait()
    yield 0
