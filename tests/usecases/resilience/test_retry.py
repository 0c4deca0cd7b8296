"""Which calls are retried, how often, and when."""

from collections.abc import Awaitable, Callable

import pytest

from voice_core.domain.errors import Misconfigured, NotFound, StageFailed, Throttled, VoiceError
from voice_core.usecases.resilience.retry import RESERVE, RetryBudget, retry

BROKEN = StageFailed("It broke.")


class FlakyCall:
    """Fails with *errors*, one per call, and then succeeds."""

    def __init__(self, *errors: VoiceError) -> None:
        self._errors = [*errors]
        self.times = 0

    async def __call__(self) -> str:
        self.times += 1
        if self._errors:
            raise self._errors.pop(0)
        return "well"


def retried(call: Callable[[], Awaitable[str]], retries: RetryBudget | None = None, **changes: float) -> Awaitable[str]:
    return retry(call, retries=retries or RetryBudget(), tries=3, pause_seconds=0.0, **changes)


async def test_a_failed_call_is_retried() -> None:
    """A call that fails is made again, as often as there are tries."""
    call = FlakyCall(BROKEN, BROKEN)
    assert await retried(call) == "well"
    assert call.times == 3
    with pytest.raises(StageFailed):
        await retried(FlakyCall(BROKEN, BROKEN, BROKEN))


@pytest.mark.parametrize("error", [Misconfigured("Who are you?"), NotFound("Gone.")], ids=lambda error: error.code)
async def test_an_error_that_would_recur_is_not_retried(error: VoiceError) -> None:
    """A call whose error is not retryable is made once."""
    call = FlakyCall(error)
    with pytest.raises(type(error)):
        await retried(call)
    assert call.times == 1


async def test_a_long_retry_after_is_not_waited_for() -> None:
    """A provider that requests a longer pause than there is time for is not called again."""
    call = FlakyCall(Throttled("Slow down.", retry_after=7))
    with pytest.raises(Throttled):
        await retried(call, longest_seconds=1.0)
    assert call.times == 1


async def test_retries_of_a_process_are_limited() -> None:
    """When all its calls fail, a process retries at most a tenth of them, and a few more."""
    retries, times = RetryBudget(), 0
    for _ in range(200):
        call = FlakyCall(BROKEN, BROKEN, BROKEN)
        with pytest.raises(StageFailed):
            await retried(call, retries)
        times += call.times
    assert 200 < times <= 200 + 20 + RESERVE


async def test_calls_refill_the_retry_budget() -> None:
    """Ten calls earn one retry."""
    retries = RetryBudget()
    while retries.spend():
        pass
    for _ in range(11):
        await retried(FlakyCall(), retries)
    assert retries.spend()
    assert not retries.spend()
