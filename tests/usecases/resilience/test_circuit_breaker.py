"""When calls to a provider are suspended, and when it is tried again."""

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
from voice_core.usecases.resilience.guarded_ports import Guard

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
    return Guard(STAGE, breaker, timeout_seconds=1.0)


async def call(guard: Guard, error: VoiceError | None = None) -> None:
    async def operation() -> None:
        if error:
            raise error

    await guard.call(operation)


async def fails(guard: Guard, error: VoiceError, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(type(error)):
            await call(guard, error)


@pytest.mark.parametrize(
    "error",
    [broken(), StageTimedOut("Late."), Throttled("Slow down."), Unreachable("Nobody there.")],
    ids=lambda error: error.code,
)
async def test_failures_in_a_row_open_it(clock: Clock, error: StageFailed) -> None:
    """After so many failures the provider is not called, and the caller is refused at once with a retry time."""
    breaker = breaker_of(clock, failures=3)
    guard = guard_of(breaker)
    await fails(guard, error, times=2)
    assert state_of(breaker) == "closed"
    await fails(guard, error)
    assert state_of(breaker) == "open"

    with pytest.raises(Unavailable) as refused:
        await call(guard)
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
async def test_a_refusal_is_no_failure(clock: Clock, error: VoiceError) -> None:
    """A provider that refuses a wrong key, a filtered text or a bad request is available: the breaker stays closed."""
    breaker = breaker_of(clock, failures=1)
    await fails(guard_of(breaker), error, times=5)
    assert state_of(breaker) == "closed"


async def test_a_success_resets_the_failures(clock: Clock) -> None:
    """Only failures in a row open the breaker."""
    breaker = breaker_of(clock, failures=2)
    guard = guard_of(breaker)
    for _ in range(3):
        await fails(guard, broken())
        await call(guard)
    assert state_of(breaker) == "closed"


async def test_failures_far_apart_do_not_count(clock: Clock) -> None:
    """One failure an hour does not open the breaker."""
    breaker = breaker_of(clock, failures=2)
    await fails(guard_of(breaker), broken())
    clock.now += 3600
    await fails(guard_of(breaker), broken())
    assert state_of(breaker) == "closed"


async def test_a_throttle_opens_it_for_the_retry_after(clock: Clock) -> None:
    """One throttled call with a `Retry-After` suspends all calls until then."""
    breaker = breaker_of(clock, failures=5)
    guard = guard_of(breaker)
    await fails(guard, Throttled("Slow down.", retry_after=20))
    with pytest.raises(Unavailable) as refused:
        await call(guard)
    assert refused.value.retry_after == 20


async def test_a_throttle_does_not_open_it_for_hours(clock: Clock) -> None:
    """A provider that requests a pause until tomorrow is tried again in a minute."""
    breaker = breaker_of(clock)
    guard = guard_of(breaker)
    await fails(guard, Throttled("Slow down.", retry_after=86_400))
    with pytest.raises(Unavailable) as refused:
        await call(guard)
    assert refused.value.retry_after == 60


async def test_half_open_lets_one_through(clock: Clock) -> None:
    """When the suspension ends, one call is the trial, and the others are refused with a retry time of one second."""
    breaker = breaker_of(clock, failures=1)
    guard = guard_of(breaker)
    await fails(guard, broken())
    clock.now += 15
    assert state_of(breaker) == "half-open"
    found_out = asyncio.Event()
    trial = asyncio.create_task(guard.call(found_out.wait))
    await asyncio.sleep(0)

    with pytest.raises(Unavailable) as refused:
        await call(guard)
    assert refused.value.retry_after == 1
    found_out.set()
    await trial
    assert state_of(breaker) == "closed"
    await call(guard)


async def test_a_failed_trial_opens_it_again(clock: Clock) -> None:
    """One failure of the trial is enough to open the breaker again."""
    breaker = breaker_of(clock, failures=3)
    guard = guard_of(breaker)
    await fails(guard, broken(), times=3)
    clock.now += 15
    assert state_of(breaker) == "half-open"
    await fails(guard, broken())
    assert state_of(breaker) == "open"


@pytest.mark.parametrize("error", [Misconfigured("Who are you?"), asyncio.CancelledError()], ids=["refused", "left"])
async def test_a_trial_without_an_outcome_is_replaced(clock: Clock, error: BaseException) -> None:
    """A trial whose caller leaves does not keep the breaker half open: the next call is the trial."""
    breaker = breaker_of(clock, failures=1)
    guard = guard_of(breaker)
    await fails(guard, broken())
    clock.now += 15
    assert state_of(breaker) == "half-open"
    attempt = breaker.begin(STAGE)
    attempt.end(error, 1.0)
    await call(guard)
    assert state_of(breaker) == "closed"


async def test_calls_from_before_it_opened_change_nothing(clock: Clock) -> None:
    """Calls that began before the breaker opened neither close it by success nor keep it open by failure."""
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
    """The first item of a trial closes the breaker, however long the stream goes on."""
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
    """A stream that breaks off counts as a failure, however many items it has returned."""
    breaker = breaker_of(clock, failures=2)
    guard = guard_of(breaker)
    for _ in range(2):
        with pytest.raises(StageFailed):
            _ = [item async for item in guard.stream(lambda _: items(1, 2, then=broken()))]
    assert state_of(breaker) == "open"


@pytest.mark.parametrize(
    ("wait_seconds", "stall_seconds", "state"),
    [(1.0, 0.0, "open"), (0.5, 0.0, "closed"), (0.5, 60.0, "closed"), (1.0, 60.0, "open")],
)
def test_a_wait_cut_off_at_the_deadline_is_a_failure(wait_seconds: float, stall_seconds: float, state: str) -> None:
    """A wait that is cancelled at its timeout of 1 s is a failure; a stall of our own event loop is not counted."""
    breaker = breaker_of(Clock(), failures=1)

    async def cut_off() -> None:
        ask = guard_of(breaker).stream(lambda attempt: attempt.waiting(silence()))
        waiting = asyncio.ensure_future(anext(ask))
        await asyncio.sleep(0)
        block(stall_seconds)
        await asyncio.sleep(wait_seconds)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    in_virtual_time(cut_off())
    assert state_of(breaker) == state


async def test_a_caller_that_leaves_is_no_failure(clock: Clock) -> None:
    """A disconnect before the timeout is no failure of the provider, nor is a wait for the user's speech."""
    breaker = breaker_of(clock, failures=1)
    for ask in (lambda attempt: attempt.waiting(silence()), lambda _: silence()):
        waiting = asyncio.create_task(anext(guard_of(breaker).stream(ask)))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert state_of(breaker) == "closed"


async def test_only_the_wait_for_the_provider_is_measured(clock: Clock) -> None:
    """The wait for recognition counts from the end of the utterance, however long that took."""
    breaker = breaker_of(clock, failures=1)
    attempt = Attempt(breaker, clock)
    clock.now += 60
    attempt.start_waiting()
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
